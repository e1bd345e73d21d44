//! `unsafe` stands where docs/architecture.md says that it may, and nowhere else.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// Where it may stand: the C boundary, libcrypto, the socket, boxes that may be refused.
const ALLOWED: [&str; 4] = ["src/ffi", "src/crypto/openssl", "src/io.rs", "src/memory.rs"];

/// The files that say so, each once: all others are held to `unsafe_code = "deny"` in Cargo.toml.
const ALLOWING: [&str; 4] = ["src/crypto/openssl/mod.rs", "src/ffi/mod.rs", "src/io.rs", "src/memory.rs"];

/// Files that have such a module below them, so that they cannot forbid it.
const ABOVE: [&str; 2] = ["src/crypto/mod.rs", "src/lib.rs"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The path of every source file within the project, and its text.
fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&root().join("src"), &mut files);
    files.sort();
    assert!(files.len() > 100, "{} files are not all", files.len());
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_string();
    files.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

fn is_allowed(name: &str) -> bool {
    ALLOWED.iter().any(|place| Path::new(name).starts_with(place))
}

/// Whether the word stands there on its own: neither in a comment nor as a part of a name.
fn says_unsafe(text: &str) -> bool {
    let code = text.lines().filter_map(|line| line.split("//").next());
    code.flat_map(|line| line.split(|part: char| !part.is_alphanumeric() && part != '_')).any(|word| word == "unsafe")
}

#[test]
fn unsafe_stands_in_its_places_alone() {
    let strays: Vec<_> = sources()
        .into_iter()
        .filter(|(name, text)| !is_allowed(name) && says_unsafe(text))
        .map(|(name, _)| name)
        .collect();
    assert!(strays.is_empty(), "unsafe outside of {ALLOWED:?}: {strays:?}");
}

#[test]
fn it_stands_in_each_of_them() {
    let sources = sources();
    for place in ALLOWED {
        assert!(sources.iter().any(|(name, text)| Path::new(name).starts_with(place) && says_unsafe(text)), "{place}");
    }
}

#[test]
fn the_lint_is_lifted_there_alone() {
    let lifts =
        |text: &str| ["allow(unsafe_code", "expect(unsafe_code", "warn(unsafe_code"].iter().any(|by| text.contains(by));
    let lifting: Vec<_> = sources().into_iter().filter(|(_, text)| lifts(text)).map(|(name, _)| name).collect();
    assert_eq!(lifting, ALLOWING);
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("\nunsafe_code = \"deny\"\n"));
    assert!(manifest.contains("\nundocumented_unsafe_blocks = \"deny\"\n"));
}

/// A file forbids it by itself, or is a module of one that does.
#[test]
fn every_other_file_forbids_it() {
    let sources = sources();
    let forbids = |wanted: &Path| {
        sources.iter().any(|(name, text)| Path::new(name) == wanted && text.contains("#![forbid(unsafe_code)]"))
    };
    for (name, _) in &sources {
        if is_allowed(name) || ABOVE.contains(&name.as_str()) {
            continue;
        }
        let above = Path::new(name).parent().unwrap();
        assert!(
            forbids(Path::new(name)) || forbids(&above.join("mod.rs")) || forbids(&above.with_extension("rs")),
            "{name} does not forbid unsafe_code"
        );
    }
}
