"""A server on paramiko: paramiko_server.py DIRECTORY, which has keys/. Prints its port.

SFTP is paramiko's own server over a small stub, as its documentation has people write it."""

import base64
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading

import paramiko
from paramiko.packet import Packetizer
from paramiko.sftp import SFTP_OK

USER = "libssh2"
PASSWORD = "my test password"
KEYS = pathlib.Path(sys.argv[1], "keys")


def attributes(path, stat):
    return paramiko.SFTPAttributes.from_stat(stat, os.path.basename(path))


def number(error):
    return paramiko.SFTPServer.convert_errno(error.errno)


class Handle(paramiko.SFTPHandle):
    def stat(self):
        return attributes(self.filename, os.fstat(self.readfile.fileno()))

    def chattr(self, attr):
        try:
            paramiko.SFTPServer.set_file_attr(self.filename, attr)
            return SFTP_OK
        except OSError as error:
            return number(error)


class Files(paramiko.SFTPServerInterface):
    """The file system as it is."""

    def list_folder(self, path):
        try:
            return [attributes(name, os.lstat(os.path.join(path, name))) for name in os.listdir(path)]
        except OSError as error:
            return number(error)

    def stat(self, path):
        try:
            return attributes(path, os.stat(path))
        except OSError as error:
            return number(error)

    def lstat(self, path):
        try:
            return attributes(path, os.lstat(path))
        except OSError as error:
            return number(error)

    def open(self, path, flags, attr):
        try:
            mode = attr.st_mode if attr.st_mode is not None else 0o666
            descriptor = os.open(path, flags, mode & 0o7777)
        except OSError as error:
            return number(error)
        kind = "ab+" if flags & os.O_APPEND and flags & os.O_RDWR else "ab" if flags & os.O_APPEND else None
        kind = kind or ("rb" if flags & 3 == os.O_RDONLY else "wb" if flags & 3 == os.O_WRONLY else "rb+")
        handle = Handle(flags)
        handle.filename = path
        handle.readfile = handle.writefile = os.fdopen(descriptor, kind)
        return handle

    def remove(self, path):
        return self.attempt(os.remove, path)

    def rename(self, oldpath, newpath):
        if os.path.lexists(newpath):
            return paramiko.SFTP_FAILURE
        return self.attempt(os.rename, oldpath, newpath)

    def posix_rename(self, oldpath, newpath):
        return self.attempt(os.replace, oldpath, newpath)

    def mkdir(self, path, attr):
        return self.attempt(os.mkdir, path, attr.st_mode & 0o7777 if attr.st_mode is not None else 0o777)

    def rmdir(self, path):
        return self.attempt(os.rmdir, path)

    def chattr(self, path, attr):
        return self.attempt(paramiko.SFTPServer.set_file_attr, path, attr)

    def symlink(self, target_path, path):
        return self.attempt(os.symlink, target_path, path)

    def readlink(self, path):
        try:
            return os.readlink(path)
        except OSError as error:
            return number(error)

    def canonicalize(self, path):
        return os.path.realpath(path)

    @staticmethod
    def attempt(function, *arguments):
        try:
            function(*arguments)
            return SFTP_OK
        except OSError as error:
            return number(error)


class Server(paramiko.ServerInterface):
    """One connection."""

    def get_allowed_auths(self, username):
        return "none" if username == USER + "-anyone" else "publickey,password,keyboard-interactive"

    def check_auth_none(self, username):
        return paramiko.AUTH_SUCCESSFUL if username == USER + "-anyone" else paramiko.AUTH_FAILED

    def check_auth_password(self, username, password):
        self.round = 0
        if username.startswith(USER) and password == PASSWORD:
            return paramiko.AUTH_SUCCESSFUL
        return paramiko.AUTH_FAILED

    def check_auth_publickey(self, username, key):
        known = (KEYS / "authorized_keys").read_text().split()
        if key.get_base64() not in known:
            return paramiko.AUTH_FAILED
        return paramiko.AUTH_PARTIALLY_SUCCESSFUL if username == USER + "-partial" else paramiko.AUTH_SUCCESSFUL

    def check_auth_interactive(self, username, submethods):
        self.round = 1
        self.several = username == USER + "-rounds"
        if self.several:
            query = paramiko.InteractiveQuery("Rounds", "There are two of them")
            query.add_prompt("First: ", True)
            query.add_prompt("Second: ", False)
            return query
        return paramiko.InteractiveQuery("", "", "Password: ")

    def check_auth_interactive_response(self, responses):
        if not self.several:
            return paramiko.AUTH_SUCCESSFUL if responses == [PASSWORD] else paramiko.AUTH_FAILED
        self.round += 1
        if self.round == 2 and responses == ["one", "two"]:
            return paramiko.InteractiveQuery("", "", "Third: ")
        return paramiko.AUTH_SUCCESSFUL if responses == ["three"] else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        threading.Thread(target=run, args=(channel, command), daemon=True).start()
        return True


def run(channel, command):
    """Runs a command as the user who runs this server."""
    child = subprocess.Popen(command, shell=True, stdin=-1, stdout=-1, stderr=-1)

    def feed():
        while data := channel.recv(65536):
            child.stdin.write(data)
            child.stdin.flush()
        child.stdin.close()

    def show(stream, send):
        while data := stream.read1(65536):
            send(data)

    threading.Thread(target=feed, daemon=True).start()
    shows = [
        threading.Thread(target=show, args=(child.stdout, channel.sendall)),
        threading.Thread(target=show, args=(child.stderr, channel.sendall_stderr)),
    ]
    for thread in shows:
        thread.start()
    for thread in shows:
        thread.join()
    channel.send_exit_status(child.wait())
    channel.close()


def serve(connection, keys):
    transport = paramiko.Transport(connection)
    for key in keys:
        transport.add_server_key(key)
    transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Files)
    transport.use_compression(True)
    try:
        transport.start_server(server=Server())
    except (paramiko.SSHException, EOFError, OSError):
        pass  # whoever looks only at the beginning


Packetizer.REKEY_BYTES = 4 << 20
paramiko.Transport.load_server_moduli()
signal.signal(signal.SIGTERM, signal.SIG_DFL)
host_keys = [
    paramiko.Ed25519Key.from_private_key_file(str(KEYS / "host_ed25519")),
    paramiko.ECDSAKey.from_private_key_file(str(KEYS / "host_ecdsa256")),
    paramiko.RSAKey.from_private_key_file(str(KEYS / "host_rsa")),
]
listener = socket.create_server(("127.0.0.1", 0), backlog=50)
print(listener.getsockname()[1], flush=True)
while True:
    client, _ = listener.accept()
    threading.Thread(target=serve, args=(client, host_keys), daemon=True).start()
