/* What libssh2-rs has and libssh2 has not. Programs that use it do not run on libssh2. */

#include "libssh2_sftp.h"
