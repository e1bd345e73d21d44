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

# debian_file PACKAGE NAME   prints where that file of the package lies. A package that is not installed is fetched and
#                            unpacked below $out, not installed. Fails where that is not possible.
debian_file() {
    local package=$1 name=$2 file
    file=$(dpkg -L "$package" 2>/dev/null | grep "/$name\$") || file=
    if [ -z "$file" ] && command -v apt-get >/dev/null; then
        mkdir -p "$out/$package"
        file=$(find "$out/$package" -name "$name")
        if [ -z "$file" ]; then
            (cd "$out/$package" && timeout 300 apt-get download "$package" && dpkg -x ./*.deb .) >/dev/null 2>&1
            file=$(find "$out/$package" -name "$name")
        fi
    fi
    [ -n "$file" ] && echo "$file"
}
