//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::fault::Wrong;
use crate::keyboard::Round;

/// How the bytes for the client are cut into pieces, one `send` each.
#[derive(Clone, Copy, Debug)]
pub enum Chunks {
    /// Each packet in one piece.
    Whole,
    /// Pieces of so many bytes.
    Of(usize),
    /// Pieces of 1 to 64 bytes by chance.
    Random,
}

/// What the server is told to do.
#[derive(Debug)]
pub struct Options {
    pub wrong: Option<Wrong>,
    /// At which occasion it goes wrong.
    pub at: usize,
    /// How long it waits before.
    pub pause: Duration,
    /// What a cut message keeps.
    pub keep: usize,
    /// The file of the host key; `None` makes an Ed25519 key.
    pub host_key: Option<PathBuf>,
    /// Methods for both directions; `None` offers all.
    pub cipher: Option<String>,
    pub mac: Option<String>,
    /// Whether strict key exchange is offered.
    pub strict: bool,
    pub user: String,
    pub password: Option<String>,
    /// How often the right password is answered with the wish for another one.
    pub changes: usize,
    /// The only new password that is taken.
    pub new_password: Option<String>,
    /// Whether any public key is let in.
    pub public_keys: bool,
    /// The signature algorithms that EXT_INFO names; empty for no EXT_INFO.
    pub sig_algs: String,
    /// What keyboard-interactive asks; without rounds it is not offered.
    pub rounds: Vec<Round>,
    /// The host and the user there who are let in with any host key.
    pub host: Option<(String, String)>,
    /// The methods that must succeed one after the other; one alone is enough if there are none.
    pub required: Vec<String>,
    /// Whether everybody is let in who asks.
    pub none: bool,
    pub banner: Option<String>,
    /// The directory that SFTP shows.
    pub root: Option<PathBuf>,
    pub window: u32,
    pub packet: u32,
    /// Bytes in either direction after which a key exchange begins.
    pub rekey: Option<u64>,
    pub chunks: Chunks,
    pub seed: u64,
    /// The most bytes of a READ and a WRITE, told by `limits@openssh.com`; 0 leaves that out.
    pub limit: u64,
    pub lifetime: Duration,
    pub ignore_stdin: bool,
}

const HELP: &str = "\
Usage: ssh2-testd [OPTION]...
  --fault NAME       go wrong (see below)
  --at N             at the N-th occasion (1)
  --pause MS         and wait before
  --keep N           bytes that a cut message keeps (1)
  --host-key FILE    the host key (an Ed25519 key of its own)
  --cipher LIST, --mac LIST, --no-strict
  --user NAME        (user)
  --password TEXT    the password that lets in
  --change N         want another password N times before letting in
  --new-password TEXT  the only new password that is taken
  --public-keys      let in with any key
  --sig-algs LIST    signature algorithms to announce; `none` for no announcement
  --ask ROUND        ask this by keyboard-interactive; may be given again for more rounds.
                     ROUND is TEXT=ANSWER[,TEXT=ANSWER]..., `+TEXT` to show the answer, `-` for no question
  --host USER@HOST   let in with any host key of that host
  --require LIST     methods that must all succeed, in this order
  --none             let everybody in
  --banner TEXT      say this before the first answer to a login request
  --root DIRECTORY   what SFTP shows
  --window N         window for the client (2097152)
  --packet N         largest packet from the client (32768)
  --rekey N          exchange keys anew after N bytes
  --limit N          READ and WRITE limit to announce (none)
  --chunk SIZE       cut output: a number of bytes, `whole` (default), or `seed` for random pieces
  --seed N           for all that is random (1)
  --seconds N        end after so long (60)
  --ignore-stdin     do not end with standard input
";

impl Options {
    fn new() -> Self {
        Self {
            wrong: None,
            at: 1,
            pause: Duration::ZERO,
            keep: 1,
            host_key: None,
            cipher: None,
            mac: None,
            strict: true,
            user: "user".into(),
            password: None,
            changes: 0,
            new_password: None,
            public_keys: false,
            sig_algs: "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256".into(),
            rounds: Vec::new(),
            host: None,
            required: Vec::new(),
            none: false,
            banner: None,
            root: None,
            window: 2 * 1024 * 1024,
            packet: 32 * 1024,
            rekey: None,
            chunks: Chunks::Whole,
            seed: 1,
            limit: 0,
            lifetime: Duration::from_secs(60),
            ignore_stdin: false,
        }
    }

    /// Reads the command line; ends the program when it can not.
    pub fn from_command_line() -> Self {
        let mut options = Self::new();
        let mut arguments = std::env::args().skip(1);
        let mut chunk = String::from("whole");
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| refuse(&format!("{argument} needs a value")));
            match argument.as_str() {
                "--fault" => options.wrong = Some(fault(&value())),
                "--at" => options.at = number(&value()),
                "--pause" => options.pause = Duration::from_millis(number(&value())),
                "--keep" => options.keep = number(&value()),
                "--host-key" => options.host_key = Some(value().into()),
                "--cipher" => options.cipher = Some(value()),
                "--mac" => options.mac = Some(value()),
                "--no-strict" => options.strict = false,
                "--user" => options.user = value(),
                "--password" => options.password = Some(value()),
                "--change" => options.changes = number(&value()),
                "--new-password" => options.new_password = Some(value()),
                "--public-keys" => options.public_keys = true,
                "--sig-algs" => options.sig_algs = value().replace("none", ""),
                "--ask" => options.rounds.push(round(&value())),
                "--host" => options.host = Some(host(&value())),
                "--require" => options.required = value().split(',').map(String::from).collect(),
                "--none" => options.none = true,
                "--banner" => options.banner = Some(value()),
                "--root" => options.root = Some(value().into()),
                "--window" => options.window = number(&value()),
                "--packet" => options.packet = number(&value()),
                "--rekey" => options.rekey = Some(number(&value())),
                "--limit" => options.limit = number(&value()),
                "--chunk" => chunk = value(),
                "--seed" => options.seed = number(&value()),
                "--seconds" => options.lifetime = Duration::from_secs(number(&value())),
                "--ignore-stdin" => options.ignore_stdin = true,
                "--help" => {
                    println!("{HELP}{}", Wrong::help());
                    std::process::exit(0);
                }
                _ => refuse(&format!("{argument} is not known")),
            }
        }
        options.chunks = match chunk.as_str() {
            "whole" => Chunks::Whole,
            "seed" => Chunks::Random,
            size => Chunks::Of(number(size)),
        };
        options
    }
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| refuse(&format!("{text} is no number that fits")))
}

fn round(text: &str) -> Round {
    Round::parse(text).unwrap_or_else(|| refuse(&format!("{text} is no round of questions")))
}

fn host(text: &str) -> (String, String) {
    let Some((user, host)) = text.split_once('@') else { refuse(&format!("{text} is no user and host")) };
    (host.into(), user.into())
}

fn fault(name: &str) -> Wrong {
    Wrong::parse(name).unwrap_or_else(|| refuse(&format!("there is no fault {name}")))
}

fn refuse(why: &str) -> ! {
    eprintln!("ssh2-testd: {why}");
    std::process::exit(2);
}
