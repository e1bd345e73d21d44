# libssh2-rs: libssh2.so.1 in Rust. `make help` tells what there is to make.

PROFILE = release
PREFIX = /usr/local
LIBDIR = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
MANDIR = $(PREFIX)/share/man
DESTDIR =
CARGO = cargo
INSTALL = install
# How long `make fuzz` takes; `60/each` is a minute for each target.
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
version = $(shell sed -n 's/^.define LIBSSH2_VERSION "\(.*\)"/\1/p' include/libssh2.h)
own_version = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

# Not `cargo build`: cargo gives up link-time optimisation as soon as a crate is also built as an rlib, which tests use.
build = $(CARGO) rustc --locked --profile $(PROFILE) --lib --crate-type cdylib,staticlib

.DEFAULT_GOAL = all
.PHONY: all check check-all check-original demo bench fuzz headers man install uninstall clean help

all: ## Build the shared and the static library
	$(build)
	@abi/noexecstack.sh $(built)/libssh2.a

# These work as the first command on a bare machine: .ci/install gets what is missing, and does nothing when
# nothing is.
check: ## Run the tests; the last line is "N passed, N failed"
	@.ci/install
	@.ci/check

check-all: ## Run the tests, and then those that take longer
	@.ci/install
	@.ci/check all

check-original: ## Run the original's own tests and examples alone
	@.ci/install
	@$(MAKE) --no-print-directory all
	$(CARGO) build --locked --example ssh2-testd
	@CTESTS_OURS=$(built)/libssh2.so ctests/original/run.sh

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

man: ## Make the manual from the headers
	@man/make.sh $(target)/man

# Only what is not there is built: `make && sudo make install` does not run cargo as root.
$(built)/libssh2.so $(built)/libssh2.a:
	$(build)
	@abi/noexecstack.sh $(built)/libssh2.a

install: $(built)/libssh2.so $(built)/libssh2.a ## Install under PREFIX (and DESTDIR)
	$(INSTALL) -d "$(DESTDIR)$(LIBDIR)/pkgconfig" "$(DESTDIR)$(INCLUDEDIR)"
	$(INSTALL) -m 755 $(built)/libssh2.so "$(DESTDIR)$(LIBDIR)/$(so)"
	ln -sf $(so) "$(DESTDIR)$(LIBDIR)/libssh2.so.1"
	ln -sf libssh2.so.1 "$(DESTDIR)$(LIBDIR)/libssh2.so"
	$(INSTALL) -m 644 $(built)/libssh2.a "$(DESTDIR)$(LIBDIR)/libssh2.a"
	$(INSTALL) -m 644 $(headers:%=include/%) "$(DESTDIR)$(INCLUDEDIR)"
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	    -e 's|@VERSION@|$(version)|' -e 's|@OWN_VERSION@|$(own_version)|' \
	    libssh2.pc.in >"$(DESTDIR)$(LIBDIR)/pkgconfig/libssh2.pc"
	chmod 644 "$(DESTDIR)$(LIBDIR)/pkgconfig/libssh2.pc"
	man/make.sh "$(DESTDIR)$(MANDIR)/man3"

uninstall: ## Remove what install put there
	rm -f $(foreach file,$(so) libssh2.so.1 libssh2.so libssh2.a pkgconfig/libssh2.pc,"$(DESTDIR)$(LIBDIR)/$(file)")
	rm -f $(foreach header,$(headers),"$(DESTDIR)$(INCLUDEDIR)/$(header)")
	rm -f "$(DESTDIR)$(MANDIR)"/man3/libssh2*.3

clean: ## Remove what was built
	$(CARGO) clean

help: ## Show this
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
	    awk -F'|' '{ printf "%-23s%s\n", $$1, $$2 }'
	@echo
	@echo 'PREFIX=$(PREFIX)  LIBDIR=$(LIBDIR)  DESTDIR=$(DESTDIR)  PROFILE=$(PROFILE)'
