//! A server on russh: `russh-server DIRECTORY`, which has keys/. Prints its port.

mod files;

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{Algorithm, Certificate, HashAlg, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Response, Server as _, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, ChannelMsg, Limits, MethodKind, MethodSet, Preferred, cipher, compression, kex, mac};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

const USER: &str = "libssh2";
const PASSWORD: &str = "my test password";
const KINDS: [&str; 5] = ["ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa"];

/// Who is known.
struct Known {
    keys: Vec<PublicKey>,
    authority: PublicKey,
}

struct Server(Arc<Known>);

impl russh::server::Server for Server {
    type Handler = Connection;

    fn new_client(&mut self, _: Option<std::net::SocketAddr>) -> Connection {
        Connection { known: self.0.clone(), channels: HashMap::new(), round: 0, is_half_in: false }
    }
}

struct Connection {
    known: Arc<Known>,
    channels: HashMap<ChannelId, Channel<Msg>>,
    round: u32,
    /// A key has been accepted, and was not enough.
    is_half_in: bool,
}

fn judge(good: bool) -> Result<Auth, russh::Error> {
    Ok(if good { Auth::Accept } else { Auth::reject() })
}

fn ask(name: &'static str, prompts: &'static [(Cow<'static, str>, bool)]) -> Result<Auth, russh::Error> {
    Ok(Auth::Partial { name: name.into(), instructions: "".into(), prompts: prompts.into() })
}

impl Handler for Connection {
    type Error = russh::Error;

    async fn auth_none(&mut self, user: &str) -> Result<Auth, russh::Error> {
        judge(user.strip_prefix(USER) == Some("-anyone"))
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        let may_come = user == USER || (self.is_half_in && user.strip_prefix(USER) == Some("-partial"));
        judge(may_come && password == PASSWORD)
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        let good = self.known.keys.iter().any(|known| known.key_data() == key.public_key.key_data());
        if good && user.strip_prefix(USER) == Some("-partial") {
            self.is_half_in = true;
            let next = MethodSet::from(&[MethodKind::Password][..]);
            return Ok(Auth::Reject { proceed_with_methods: Some(next), partial_success: true });
        }
        judge(good)
    }

    async fn auth_openssh_certificate(&mut self, user: &str, certificate: &Certificate) -> Result<Auth, russh::Error> {
        let authority = self.known.authority.fingerprint(HashAlg::Sha256);
        let names_user = certificate.valid_principals().iter().any(|principal| principal == user);
        judge(certificate.validate([&authority]).is_ok() && names_user)
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        const PASSWORD_ALONE: &[(Cow<str>, bool)] = &[(Cow::Borrowed("Password: "), false)];
        const FIRST: &[(Cow<str>, bool)] = &[(Cow::Borrowed("First: "), true), (Cow::Borrowed("Second: "), false)];
        const LAST: &[(Cow<str>, bool)] = &[(Cow::Borrowed("Third: "), true)];
        let several = user.strip_prefix(USER) == Some("-rounds");
        let Some(response) = response else {
            self.round = 0;
            return if several { ask("Rounds", FIRST) } else { ask("", PASSWORD_ALONE) };
        };
        let answers: Vec<_> = response.map(|answer| String::from_utf8_lossy(&answer).into_owned()).collect();
        self.round += 1;
        match (several, self.round) {
            (false, _) => judge(answers == [PASSWORD]),
            (true, 1) if answers == ["one", "two"] => ask("Nothing is asked here", &[]),
            (true, 2) if answers.is_empty() => ask("", LAST),
            (true, 3) => judge(answers == ["three"]),
            _ => judge(false),
        }
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(&mut self, id: ChannelId, command: &[u8], session: &mut Session) -> Result<(), russh::Error> {
        let Some(channel) = self.channels.remove(&id) else { return session.channel_failure(id) };
        session.channel_success(id)?;
        tokio::spawn(run(channel, String::from_utf8_lossy(command).into_owned()));
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        match self.channels.remove(&id) {
            Some(channel) if name == "sftp" => {
                session.channel_success(id)?;
                russh_sftp::server::run(channel.into_stream(), files::Files::default()).await;
                Ok(())
            }
            _ => session.channel_failure(id),
        }
    }
}

/// Runs a command as the user who runs this server.
async fn run(channel: Channel<Msg>, command: String) -> Option<()> {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = shell.spawn() else {
        channel.exit_status(127).await.ok()?;
        return channel.close().await.ok();
    };
    let (mut stdin, mut stdout, mut stderr) = (child.stdin.take()?, child.stdout.take()?, child.stderr.take()?);
    let (mut from, to) = channel.split();
    tokio::spawn(async move {
        while let Some(message) = from.wait().await {
            match message {
                ChannelMsg::Data { data } if stdin.write_all(&data).await.is_ok() => (),
                ChannelMsg::Data { .. } | ChannelMsg::Eof | ChannelMsg::Close => break,
                _ => (),
            }
        }
    });
    let (mut out, mut err) = (to.make_writer(), to.make_writer_ext(Some(1)));
    let _ = tokio::join!(tokio::io::copy(&mut stdout, &mut out), tokio::io::copy(&mut stderr, &mut err));
    let status = child.wait().await.ok()?;
    to.exit_status(status.code().unwrap_or(255) as u32).await.ok()?;
    to.eof().await.ok()?;
    to.close().await.ok()
}

/// Everything that russh has. A server has to name what is not on by itself.
fn algorithms() -> Preferred {
    let all_of_kex = kex::ALL_KEX_ALGORITHMS.iter().map(|name| **name).filter(|name| *name != kex::NONE);
    let extensions = [kex::EXTENSION_SUPPORT_AS_SERVER, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER];
    let is_cipher = |name: &cipher::Name| ![cipher::CLEAR, cipher::NONE].contains(name);
    Preferred {
        kex: all_of_kex.chain(extensions).collect(),
        key: Preferred::DEFAULT.key.iter().cloned().chain([Algorithm::Dsa]).collect(),
        cipher: cipher::ALL_CIPHERS.iter().map(|name| **name).filter(is_cipher).collect(),
        mac: mac::ALL_MAC_ALGORITHMS.iter().map(|name| **name).filter(|name| *name != mac::NONE).collect(),
        compression: compression::ALL_COMPRESSION_ALGORITHMS.iter().map(|name| **name).collect(),
        ..Preferred::DEFAULT
    }
}

fn config(keys: &Path) -> Result<Config, russh::keys::Error> {
    let mut config = Config {
        auth_rejection_time: Duration::ZERO,
        // With more requests than that on their way when it asks for new keys, russh 0.65 waits for itself: the channel is
        // full, and what empties it waits for the end of the key exchange. The default of 100 is less than we ask for.
        channel_buffer_size: 1000,
        limits: Limits::new(4 << 20, 4 << 20, Duration::from_secs(3600)),
        max_auth_attempts: 100,
        nodelay: true,
        preferred: algorithms(),
        ..Config::default()
    };
    for kind in KINDS {
        config.keys.push(russh::keys::load_secret_key(keys.join(format!("host_{kind}")), None)?);
        let certificate = keys.join(format!("host_{kind}-cert.pub"));
        if certificate.exists() {
            config.certificates.push(russh::keys::load_openssh_certificate(certificate)?);
        }
    }
    Ok(config)
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keys = PathBuf::from(std::env::args().nth(1).ok_or("usage: russh-server DIRECTORY")?).join("keys");
    let authorized = std::fs::read_to_string(keys.join("authorized_keys"))?;
    let known = Known {
        keys: authorized.lines().filter_map(|line| line.parse().ok()).collect(),
        authority: std::fs::read_to_string(keys.join("ca.pub"))?.parse()?,
    };
    let config = Arc::new(config(&keys)?);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    Server(Arc::new(known)).run_on_socket(config, &listener).await?;
    Ok(())
}
