# Debian packages, to be sourced.
#
#   debian_install PACKAGE...   installs what a script can use but does not depend on. Where that
#                               is not possible it says nothing: the caller looks for the program.

debian_install() {
    [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || return 0
    DEBIAN_FRONTEND=noninteractive timeout 300 sh -c '
        apt-get install -y --no-install-recommends "$@" ||
            { apt-get update && apt-get install -y --no-install-recommends "$@"; }' \
        install "$@" >/dev/null 2>&1 </dev/null || true
}
