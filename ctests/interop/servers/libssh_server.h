/* The two halves of the server on libssh: who is let in, and SFTP. */
#ifndef LIBSSH_SERVER_H
#define LIBSSH_SERVER_H

#include <libssh/libssh.h>
#include <libssh/server.h>

/* Serves SFTP on a channel until the client ends it. */
void serve_files(ssh_session session, ssh_channel channel);

#endif
