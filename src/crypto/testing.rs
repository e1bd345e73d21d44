//! What the tests of keys share: files that ssh-keygen makes, and certificates that no authority would.
#![forbid(unsafe_code)]

use std::ops::Range;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{CERTIFICATE, PrivateKey, SignatureAlgorithm};
use crate::wire::{Put, Reader};

/// A directory that goes away with the test.
pub struct Directory(pub PathBuf);

impl Directory {
    /// A new one.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ssh2-keys-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// Runs `line`, words parted by spaces and `~` for a space within one, in the directory.
    pub fn run(&self, line: &str) -> Vec<u8> {
        self.run_on(line, Stdio::null())
    }

    /// [`Directory::run`] with that for its standard input.
    pub fn run_on(&self, line: &str, input: Stdio) -> Vec<u8> {
        let mut words = line.split(' ').map(|word| word.replace('~', " "));
        let output = Command::new(words.next().unwrap())
            .args(words)
            .current_dir(&self.0)
            .env_remove("SSH_ASKPASS")
            .stdin(input)
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// What the file `name` holds.
    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.join(name)).unwrap()
    }

    /// Writes the file `name`.
    pub fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.0.join(name), content).unwrap();
    }

    /// A key of ssh-keygen's: the private and the public file.
    pub fn keygen(&self, options: &str, passphrase: &str) -> (Vec<u8>, Vec<u8>) {
        for name in ["key", "key.pub"] {
            let _ = std::fs::remove_file(self.0.join(name));
        }
        // An empty word is an empty passphrase.
        self.run(&format!("ssh-keygen -q -f key -C some~one {options} -N {}", passphrase.replace(' ', "~")));
        (self.read("key"), self.read("key.pub"))
    }

    /// Has openssl write the file `dsa` with the numbers that DSA keys share, the order having so many bits.
    pub fn dsa_parameters(&self, order: u32) {
        let sizes = format!("-pkeyopt dsa_paramgen_bits:1024 -pkeyopt dsa_paramgen_q_bits:{order}");
        self.run(&format!("openssl genpkey -quiet -genparam -algorithm DSA {sizes} -out dsa"));
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A certificate as an authority would write it; each part of it can be made wrong, and is then signed all the same.
pub struct Issue<'a> {
    /// The key to certify.
    pub key: &'a PrivateKey,
    /// What signs.
    pub authority: &'a PrivateKey,
    /// By which algorithm it signs.
    pub algorithm: SignatureAlgorithm,
    /// What the certificate says the authority to be.
    pub named: Vec<u8>,
    /// What is random in it.
    pub nonce: Vec<u8>,
    /// 1 for users, 2 for hosts.
    pub role: u32,
    /// The names that it is for, packed.
    pub principals: Vec<u8>,
    /// When it holds.
    pub valid: Range<u64>,
    /// Packed names and data.
    pub critical_options: Vec<u8>,
    /// Likewise.
    pub extensions: Vec<u8>,
}

impl<'a> Issue<'a> {
    /// One of a host called `host`, which holds from 1000 to 2000.
    pub fn new(key: &'a PrivateKey, authority: &'a PrivateKey, host: &str) -> Self {
        Self {
            key,
            authority,
            algorithm: authority.algorithms()[0],
            named: authority.public_blob().unwrap(),
            nonce: vec![7; 32],
            role: 2,
            principals: packed(&[host]),
            valid: 1000..2000,
            critical_options: Vec::new(),
            extensions: Vec::new(),
        }
    }

    /// The certificate in the form of the wire.
    pub fn write(&self) -> Vec<u8> {
        let key = self.key.public_blob().unwrap();
        let mut key = Reader::new(&key);
        let mut blob = Vec::new();
        blob.put_string(&[key.string().unwrap(), CERTIFICATE].concat()).unwrap();
        blob.put_string(&self.nonce).unwrap();
        blob.put(key.rest()).unwrap();
        blob.put_u64(1).unwrap();
        blob.put_u32(self.role).unwrap();
        blob.put_string(b"key id").unwrap();
        blob.put_string(&self.principals).unwrap();
        blob.put_u64(self.valid.start).unwrap();
        blob.put_u64(self.valid.end).unwrap();
        for field in [&self.critical_options, &self.extensions, &Vec::new(), &self.named] {
            blob.put_string(field).unwrap();
        }
        let signature = self.authority.sign(self.algorithm, &blob).unwrap();
        blob.put_string(&signature).unwrap();
        blob
    }
}

/// Strings one after the other.
pub fn packed(strings: &[&str]) -> Vec<u8> {
    let mut packed = Vec::new();
    strings.iter().try_for_each(|string| packed.put_string(string.as_bytes())).unwrap();
    packed
}
