#!/bin/bash
# Checks the manual: a page for each function and short form, each well-formed and found by whatis(1). The last line is
# "N passed, N failed".
set -u

name=manual
. "$(dirname "$0")/../abi/checks.sh"
pages=$work/man/man3

every_function_has_a_page() {
    cat "$root/abi/symbols.txt" "$root/abi/ext.txt" | grep '^+' | grep -o 'libssh2_[a-z0-9_]*(' | tr -d '(' |
        while read -r function; do [ -s "$pages/$function.3" ] || echo "no page: $function"; done >"$work/missing"
    ! grep . "$work/missing"
}

every_short_form_has_a_page() {
    sed -n 's/^#define \(libssh2_[a-z0-9_]*\)(.*/\1/p' "$root"/include/*.h | grep -v '_attribute' |
        while read -r macro; do [ -s "$pages/$macro.3" ] || echo "no page: $macro"; done >"$work/missing"
    ! grep . "$work/missing"
}

# A page that only some lead to would be lost.
every_page_that_is_named_is_there() {
    grep -ho -e '^\.It Xr libssh2[a-z0-9_]*' -e '^\.Xr libssh2[a-z0-9_]*' "$pages"/*.3 | sed 's/.*Xr //' | sort -u |
        while read -r named; do [ -s "$pages/$named.3" ] || echo "no page: $named"; done >"$work/missing"
    ! grep . "$work/missing"
}

every_page_says_what_it_is_about() {
    ! grep -L '^\.Nd [a-zA-Z]' "$pages"/*.3 | grep .
}

has_no_warning() {
    if command -v mandoc >/dev/null; then
        mandoc -Tlint -W warning "$pages"/*.3 >"$work/warnings" 2>/dev/null
    else
        for page in "$pages"/*.3; do
            LC_ALL=C.UTF-8 MANROFFSEQ= MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" >/dev/null
        done 2>"$work/warnings"
    fi
    ! grep . "$work/warnings"
}

is_the_same_twice() {
    SOURCE_DATE_EPOCH=0 "$root/man/make.sh" "$work/once" && SOURCE_DATE_EPOCH=0 "$root/man/make.sh" "$work/twice" &&
        diff -r "$work/once" "$work/twice" && grep -q 'January 1, 1970' "$work/once/libssh2_init.3"
}

check "it is made" "$root/man/make.sh" "$pages"
check "every function has a page" every_function_has_a_page
check "every short form has a page" every_short_form_has_a_page
check "every page that is named is there" every_page_that_is_named_is_there
check "every page says what it is about" every_page_says_what_it_is_about
check "no page has a warning" has_no_warning
check "it is the same when it is made again" is_the_same_twice
summary
