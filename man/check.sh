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
    mandoc -Tlint -W warning "$pages"/*.3 >"$work/warnings" 2>/dev/null
    ! grep . "$work/warnings"
}

# The other formatter, which most systems have.
has_no_warning_of_groff() {
    groff -mandoc -Tutf8 -z -ww "$pages"/*.3 >/dev/null 2>"$work/warnings"
    ! grep . "$work/warnings"
}

# As the database of whatis(1) sees it: each page by its own name, in a line that fits on a screen or nearly so.
is_found_by_whatis() {
    lexgrog "$pages"/*.3 | sed 's|^.*/||' >"$work/whatis"
    [ "$(wc -l <"$work/whatis")" = "$(ls "$pages" | wc -l)" ] &&
        ! awk -F'"' '{ split($1, file, "."); split($2, line, " - ")
            if (line[1] != file[1] || length(line[2]) > 110 || length(line[2]) < 8) print }' "$work/whatis" | grep .
}

# Those who name one another: a short form and its function, what is retired and what is used instead.
refers_to_what_it_stands_for() {
    sed -n 's/^#define \(libssh2_[a-z0-9_]*\)(.*/\1/p' "$root"/include/*.h | grep -v '_attribute' |
        while read -r macro; do
            grep -q '^\.Xr libssh2_[a-z0-9_]* 3' "$pages/$macro.3" || echo "$macro refers to nothing"
        done >"$work/missing"
    grep -h -A1 '^LIBSSH2_DEPRECATED(.*use libssh2_' "$root"/include/*.h |
        sed -n 's/.*use \(libssh2_[a-z0-9_]*\).*/\1/p; s/.*[ *]\(libssh2_[a-z0-9_]*\)(.*/\1/p' | paste - - |
        while read -r instead retired; do
            grep -q "^\.Xr $instead 3" "$pages/$retired.3" || echo "$retired does not refer to $instead"
        done >>"$work/missing"
    ! grep . "$work/missing"
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
check "whatis finds every page" is_found_by_whatis
check "short forms and what is retired refer to the functions" refers_to_what_it_stands_for
check "mandoc has no warning" has_no_warning
check "groff has no warning" has_no_warning_of_groff
check "it is the same when it is made again" is_the_same_twice
summary
