//! The table of advisories names only what there is, and all of it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every unit test by the name under which cargo knows it.
fn unit_tests() -> BTreeSet<String> {
    let output = Command::new(std::env::current_exe().unwrap()).arg("--list").output().unwrap();
    let list = String::from_utf8(output.stdout).unwrap();
    list.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

/// What the backticks of a table's cell enclose.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn each_advisory_has_a_test_of_its_name_and_every_test_named_is_there() {
    let (table, tests) = (read("docs/advisories.md"), unit_tests());
    let mut named = BTreeSet::new();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| Id") && !line.starts_with("| What"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert!(rows.len() > 40, "{} rows", rows.len());
    for row in &rows {
        let (id, cell) = (row[1], row[row.len() - 2]);
        let held_by = quoted(cell);
        assert!(!held_by.is_empty(), "{id}: no test");
        for test in &held_by {
            match test.split_once(".c ") {
                // A C program, and words of it.
                Some((program, words)) => {
                    let text = read(&format!("ctests/tests/{program}.c"));
                    assert!(text.contains(words), "{program}.c has nothing of {words}");
                }
                None => {
                    assert!(tests.contains(*test), "{test} is no test");
                    named.insert((*test).to_owned());
                }
            }
        }
        if id.starts_with("CVE-") || id.starts_with("GHSA-") {
            // One advisory may have several ids.
            let names: Vec<String> = id.split(", ").map(|id| id.to_lowercase().replace('-', "_")).collect();
            let is_named = |test: &&str| names.iter().any(|name| test.contains(name));
            assert!(held_by.iter().any(is_named), "{id} has no test of its name");
        }
    }
    let of_advisories = tests.iter().filter(|test| ["::cve_", "::ghsa_"].iter().any(|kind| test.contains(kind)));
    for test in of_advisories {
        assert!(named.contains(test), "{test} is not in the table");
    }
}
