#!/bin/sh
# Marks the assembler's objects in a static library as code that needs no executable stack. The crate sha2-asm, which
# sntrup761 brings along, forgets to say so, and one such object gives every program that is linked with the library an
# executable stack.
#
#   abi/noexecstack.sh LIBRARY.a
set -eu

library=$(realpath "$1")
work=$(mktemp -d "${TMPDIR:-/tmp}/libssh2-objects.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
for object in $(ar t "$library" | grep -E 'sha(1|256|512)_.*\.o$' || true); do
    ar x "$library" "$object"
    if ! readelf -SW "$object" | grep -q '\.note\.GNU-stack'; then
        objcopy --add-section .note.GNU-stack=/dev/null --set-section-flags .note.GNU-stack=readonly "$object"
        # Where LLVM's plugin is installed, ar has it look at Rust's own objects, in vain.
        ar r "$library" "$object" 2>&1 | grep -v 'LLVM gold plugin' || true
    fi
done
