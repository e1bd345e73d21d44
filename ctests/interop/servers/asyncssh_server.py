"""A server on AsyncSSH: asyncssh_server.py DIRECTORY, which has keys/. Prints its port.

It knows the users of client/logins.c, and has each algorithm that AsyncSSH has."""

import asyncio
import pathlib
import signal
import sys

import asyncssh
from asyncssh.encryption import get_encryption_algs
from asyncssh.kex import get_kex_algs
from asyncssh.mac import get_mac_algs
from asyncssh.public_key import get_certificate_algs, get_public_key_algs

USER = "libssh2"
PASSWORD = "my test password"
KEYS = pathlib.Path(sys.argv[1], "keys")
TYPES = ["ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa", "dsa"]


class Server(asyncssh.SSHServer):
    """One connection."""

    def connection_made(self, conn):
        self.conn = conn
        self.user = None

    def begin_auth(self, username):
        self.user = username
        if username == USER + "-anyone":
            return False
        authority = (KEYS / "ca.pub").read_text().strip()
        keys = (KEYS / "authorized_keys").read_text()
        self.conn.set_authorized_keys(asyncssh.import_authorized_keys(f"{keys}cert-authority {authority}\n"))
        return True

    def password_auth_supported(self):
        return True

    def validate_password(self, username, password):
        if username == USER + "-expired" and password == PASSWORD:
            raise asyncssh.PasswordChangeRequired("Choose another one", "en")
        return username.startswith(USER) and password == PASSWORD

    def change_password(self, username, old_password, new_password):
        return old_password == PASSWORD and new_password == "a new password"

    def kbdint_auth_supported(self):
        return True

    def get_kbdint_challenge(self, username, lang, submethods):
        self.round = 1
        if username == USER + "-rounds":
            return "Rounds", "There are three of them", "", [("First: ", True), ("Second: ", False)]
        return "", "", "", [("Password: ", False)]

    def validate_kbdint_response(self, username, responses):
        if username != USER + "-rounds":
            return responses == [PASSWORD]
        self.round += 1
        if self.round == 2 and responses == ["one", "two"]:
            return "", "Nothing is asked here", "", []
        if self.round == 3 and responses == []:
            return "", "", "", [("Third: ", True)]
        return self.round == 4 and responses == ["three"]

    def host_based_auth_supported(self):
        return True

    def validate_host_based_user(self, username, client_host, client_username):
        return username == client_username


async def pass_on(source, sink):
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()


async def feed(process, child):
    try:
        await pass_on(process.stdin, child.stdin)
    finally:
        child.stdin.close()


async def command(process):
    """Runs a command as the user who runs this server."""
    child = await asyncio.create_subprocess_shell(process.command, stdin=-1, stdout=-1, stderr=-1)
    feeding = asyncio.create_task(feed(process, child))
    await asyncio.gather(pass_on(child.stdout, process.stdout), pass_on(child.stderr, process.stderr))
    status = await child.wait()
    feeding.cancel()
    process.exit(status)


def names(algorithms):
    """Without those of GSS, which want a Kerberos."""
    return [name.decode() for name in algorithms if not name.startswith(b"gss-")]


async def main():
    hosts = [KEYS / f"host_{kind}" for kind in TYPES if (KEYS / f"host_{kind}").exists()]
    keys = []
    for host in hosts:
        certificate = host.with_name(host.name + "-cert.pub")
        keys.append((str(host), str(certificate)) if certificate.exists() else str(host))
    server = await asyncssh.create_server(
        Server,
        "127.0.0.1",
        0,
        server_host_keys=keys,
        known_client_hosts=([(KEYS / "host_ed25519.pub").as_posix()], [], []),
        trust_client_host=True,
        process_factory=command,
        encoding=None,
        sftp_factory=True,
        rekey_bytes=4 << 20,
        kex_algs=names(get_kex_algs()),
        encryption_algs=names(get_encryption_algs()),
        mac_algs=names(get_mac_algs()),
        compression_algs=["zlib@openssh.com", "zlib", "none"],
        signature_algs=names(get_public_key_algs()),
        login_timeout=60,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().create_future()


signal.signal(signal.SIGTERM, signal.SIG_DFL)
asyncio.run(main())
