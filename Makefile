# libssh2-rs: libssh2.so.1 in Rust. `make help` tells what there is to make.

PROFILE = release
PREFIX = /usr/local
LIBDIR = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
MANDIR = $(PREFIX)/share/man
DESTDIR =
CARGO = cargo
INSTALL = install
# How long `make fuzz` and `make check-model` take; for the former `60/each` is a minute for each target.
SECONDS = 60

# A shell that is not a login shell may not know where rustup put cargo.
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin

# Where cargo puts what it builds; the profile `dev` goes to `debug`.
target := $(or $(CARGO_TARGET_DIR),target)
built = $(target)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))

# The name of the shared library in the file system. It is the one that libssh2's own build gives, so that ours takes
# the place of an original in the same directory.
so = libssh2.so.1.0.1
headers = libssh2.h libssh2_sftp.h libssh2_publickey.h libssh2_ext.h
# What tells build systems of the library, made of packaging/*.in.
described = pkgconfig/libssh2.pc cmake/libssh2/libssh2-config.cmake cmake/libssh2/libssh2-config-version.cmake
version = $(shell sed -n 's/^.define LIBSSH2_VERSION "\(.*\)"/\1/p' include/libssh2.h)
own_version = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

# Below PREFIX paths are told relative to it, so that what is installed can be moved; the CMake package knows where it
# lies itself.
below_prefix = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))
fill = sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(call below_prefix,$(LIBDIR))|' \
    -e 's|@INCLUDEDIR@|$(call below_prefix,$(INCLUDEDIR))|' -e 's|@SO@|$(so)|' \
    -e 's|@CMAKE_INCLUDEDIR@|'"$$(realpath -ms --relative-to='$(LIBDIR)/cmake/libssh2' '$(INCLUDEDIR)')"'|' \
    -e 's|@VERSION@|$(version)|' -e 's|@VERSION_MAJOR@|$(firstword $(subst ., ,$(version)))|' \
    -e 's|@OWN_VERSION@|$(own_version)|' \
    -e 's|@POINTER_SIZE@|'"$$(readelf -h $(built)/libssh2.so | awk '/Class:/ { print $$2 == "ELF64" ? 8 : 4 }')"'|'

# No path of this machine gets into a release build: the same sources give the same files, wherever they lie.
cargo_home = $(or $(CARGO_HOME),$(HOME)/.cargo)
elsewhere = $(CURDIR)=. $(abspath $(target))=target $(CURDIR)/vendor=vendor \
    $(foreach index,$(wildcard $(cargo_home)/registry/src/*),$(index)=vendor)
$(built)/libssh2.so $(built)/libssh2.a all: export RUSTFLAGS := \
    $(strip $(RUSTFLAGS) $(if $(filter release,$(PROFILE)),$(elsewhere:%=--remap-path-prefix=%)))

# Not `cargo build`: cargo gives up link-time optimisation as soon as a crate is also built as an rlib, which tests use.
build = $(CARGO) rustc --locked --profile $(PROFILE) --lib --crate-type cdylib,staticlib

.DEFAULT_GOAL = all
.PHONY: all check check-all check-release check-abi check-manual check-installed check-packages check-model \
    check-original check-interop check-valgrind check-asan demo bench fuzz headers man tables install uninstall dist deb \
    clean help

all: ## Build the shared and the static library
	$(build)
	@abi/noexecstack.sh $(built)/libssh2.a

# These work as the first command on a bare machine: .ci/install gets what is missing, and does nothing when
# nothing is.
check: ## Run the tests; the last line is "N passed, N failed"
	@.ci/install
	@.ci/check

check-all: ## Run the tests, and then those that take longer
	@.ci/install all
	@.ci/check all

check-release: ## Test the packages, a server on russh, and C tests and unit tests under AddressSanitizer
	@.ci/install all
	@$(MAKE) --no-print-directory all
	$(CARGO) build --locked --example ssh2-testd
	@.ci/check release

check-abi: ## Compare headers, layouts, constants and symbols with the original's alone
	@.ci/install
	@$(MAKE) --no-print-directory all
	@abi/check.sh $(built)/libssh2.so
	@abi/original.sh $(built)/libssh2.so

check-manual: ## Check the manual pages alone
	@.ci/install
	@man/check.sh

check-installed: ## Install into a scratch directory, and build and run programs with that, alone
	@.ci/install all
	@$(MAKE) --no-print-directory all
	@packaging/installed.sh

check-packages: ## Build the tarball and the Debian packages, and install them elsewhere, alone
	@.ci/install all
	@$(MAKE) --no-print-directory all
	@packaging/check.sh

check-model: ## Run random programs against a model of the file engines for a minute (or SECONDS=n)
	@.ci/install
	LIBSSH2_MODEL_SECONDS=$(SECONDS) CARGO_PROFILE_DEV_OPT_LEVEL=1 \
	    $(CARGO) test --locked --lib testing::model -- --nocapture

check-original: ## Run the original's own tests and examples alone
	@.ci/install
	@$(MAKE) --no-print-directory all
	$(CARGO) build --locked --example ssh2-testd
	@CTESTS_OURS=$(built)/libssh2.so ctests/original/run.sh

check-interop: ## Meet other servers than OpenSSH's alone, and write docs/interop.md
	@.ci/install interop
	@$(MAKE) --no-print-directory all
	@CTESTS_OURS=$(built)/libssh2.so ctests/interop/run.sh

check-valgrind: ## Run the C tests under valgrind (CTESTS_ONLY="name ...")
	@.ci/install memory
	@$(MAKE) --no-print-directory all
	$(CARGO) build --locked --example ssh2-testd
	@CTESTS_OURS=$(built)/libssh2.so ctests/memory/valgrind.sh

check-asan: ## Run the C tests and the unit tests under AddressSanitizer (CTESTS_ONLY="name ...")
	@.ci/install
	$(CARGO) build --locked --example ssh2-testd
	@ctests/memory/asan.sh

demo: ## Upload to a private server, with a progress bar
	@.ci/install
	@examples/demo.sh

bench: ## Measure against the original libssh2
	@.ci/install
	@bench/run.sh

fuzz: ## Fuzz for a minute (or SECONDS=n)
	@.ci/install
	@fuzz/run.sh $(SECONDS)

headers: ## Write include/ anew from the Rust sources
	LIBSSH2_RS_WRITE_HEADERS=1 $(CARGO) test --locked --test headers

tables: ## Write the table of algorithms in docs/features.md anew
	@.ci/install interop
	@$(MAKE) --no-print-directory all
	@CTESTS_OURS=$(built)/libssh2.so docs/algorithms.sh

man: ## Make the manual from the headers
	@man/make.sh $(target)/man

# Only what is not there is built: `make && sudo make install` does not run cargo as root.
$(built)/libssh2.so $(built)/libssh2.a:
	$(build)
	@abi/noexecstack.sh $(built)/libssh2.a

install: $(built)/libssh2.so $(built)/libssh2.a ## Install under PREFIX (and DESTDIR)
	$(INSTALL) -d "$(DESTDIR)$(LIBDIR)/pkgconfig" "$(DESTDIR)$(LIBDIR)/cmake/libssh2" "$(DESTDIR)$(INCLUDEDIR)"
	$(INSTALL) -m 755 $(built)/libssh2.so "$(DESTDIR)$(LIBDIR)/$(so)"
	ln -sf $(so) "$(DESTDIR)$(LIBDIR)/libssh2.so.1"
	ln -sf libssh2.so.1 "$(DESTDIR)$(LIBDIR)/libssh2.so"
	$(INSTALL) -m 644 $(built)/libssh2.a "$(DESTDIR)$(LIBDIR)/libssh2.a"
	$(INSTALL) -m 644 $(headers:%=include/%) "$(DESTDIR)$(INCLUDEDIR)"
	for file in $(described); do \
	    $(fill) packaging/$${file##*/}.in >"$(DESTDIR)$(LIBDIR)/$$file" && \
	    chmod 644 "$(DESTDIR)$(LIBDIR)/$$file" || exit 1; \
	done
	man/make.sh "$(DESTDIR)$(MANDIR)/man3"

uninstall: ## Remove what install put there
	rm -f $(foreach file,$(so) libssh2.so.1 libssh2.so libssh2.a $(described),"$(DESTDIR)$(LIBDIR)/$(file)")
	rm -f $(foreach header,$(headers),"$(DESTDIR)$(INCLUDEDIR)/$(header)")
	rm -f "$(DESTDIR)$(MANDIR)"/man3/libssh2*.3
	-rmdir "$(DESTDIR)$(LIBDIR)/cmake/libssh2"

dist: ## Make the release tarball, with all crates: builds offline
	@packaging/dist.sh $(target)/dist

deb: $(built)/libssh2.so $(built)/libssh2.a ## Make Debian packages, in target/deb
	@.ci/install packages
	@packaging/deb.sh $(target)/deb

clean: ## Remove what was built
	$(CARGO) clean

help: ## Show this
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
	    awk -F'|' '{ printf "%-23s%s\n", $$1, $$2 }'
	@echo
	@echo 'PREFIX=$(PREFIX)  LIBDIR=$(LIBDIR)  DESTDIR=$(DESTDIR)  PROFILE=$(PROFILE)'
