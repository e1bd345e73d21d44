//! Gives the shared library the name that programs built for libssh2 ask the loader for.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libssh2.so.1");
}
