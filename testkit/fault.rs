//! What the server can do wrong.
//!
//! A *harm* happens to one of the server's messages, whichever it is: `close@auth`. A *fault* is a wrong of its own
//! kind. Either happens once, to the n-th message or request that it fits (`--at N`, the first unless said).

use std::thread;
use std::time::Duration;

/// The messages of the server, by what they are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The identification line.
    Ident,
    /// KEXINIT.
    KexInit,
    /// The reply of the key exchange method.
    KexReply,
    /// NEWKEYS.
    NewKeys,
    /// EXT_INFO.
    ExtInfo,
    /// SERVICE_ACCEPT.
    Service,
    /// An answer to a login request.
    Auth,
    /// CHANNEL_OPEN_CONFIRMATION.
    Open,
    /// CHANNEL_SUCCESS for the subsystem.
    Subsystem,
    /// The SFTP VERSION.
    Version,
    /// An SFTP reply to anything but an extension's request.
    Reply,
    /// CHANNEL_WINDOW_ADJUST.
    Adjust,
    /// CHANNEL_CLOSE.
    Close,
    /// Anything else.
    Other,
}

macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[doc = $doc:literal])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[doc = $doc])* $variant,)* }

        impl $name {
            /// Each with its name and what it does.
            pub const ALL: &[(Self, &str, &str)] = &[$((Self::$variant, $text, concat!($($doc),*)),)*];

            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().find(|(_, known, _)| *known == name).map(|(found, ..)| *found)
            }
        }
    };
}

named! {
    /// What can happen to any message.
    Harm {
        /// close the connection instead
        Close = "close",
        /// send the first half of the packet, and close
        Truncate = "truncate",
        /// send nothing more, but listen on
        Silence = "silence",
        /// send a DISCONNECT with reason 11 and a text instead
        Disconnect = "disconnect",
        /// send a DISCONNECT whose text runs past its end
        DisconnectShort = "disconnect-short",
        /// flip a bit in the middle of the packet
        Flip = "flip",
        /// a length field of 2^32 - 1
        LengthHuge = "length-huge",
        /// a length field of 0
        LengthZero = "length-zero",
        /// a length field one larger than it should be
        LengthOdd = "length-odd",
        /// a padding length as long as the packet
        Padding = "padding",
        /// a payload of no byte
        Empty = "empty",
        /// only the first bytes of the payload (`--keep N`, 1 unless said)
        Cut = "cut",
        /// an IGNORE before it, which is allowed but during a strict key exchange
        Ignore = "ignore",
        /// a DEBUG before it
        Debug = "debug",
        /// a message of a number that nobody knows before it; the client must answer UNIMPLEMENTED
        Unknown = "unknown",
        /// a PING before it, which the client must answer
        Ping = "ping",
        /// an UNIMPLEMENTED before it
        Unimplemented = "unimplemented",
        /// an EXT_INFO before it, that names rsa-sha2-256 only
        ExtInfo = "ext-info",
        /// a key exchange before it
        Rekey = "rekey",
        /// a NEWKEYS before it
        NewKeys = "newkeys",
        /// a CHANNEL_SUCCESS before it
        ChannelSuccess = "channel-success",
        /// IGNOREs for ever instead
        Flood = "flood",
    }
}

named! {
    /// What goes wrong in one place.
    Fault {
        /// lines of binary before the identification, and no identification
        BannerBinary = "banner-binary",
        /// a NUL in the identification
        BannerNul = "banner-nul",
        /// an identification of more than 8192 bytes
        BannerLong = "banner-long",
        /// lines before the identification, for ever
        BannerEndless = "banner-endless",
        /// SSH-1.5
        BannerOld = "banner-old",
        /// a KEXINIT with a list that runs past its end
        KexInitPastEnd = "kexinit-past-end",
        /// a KEXINIT with unknown names only
        KexInitNothingInCommon = "kexinit-nothing-in-common",
        /// a KEXINIT of empty lists
        KexInitEmpty = "kexinit-empty",
        /// two KEXINITs
        KexInitTwice = "kexinit-twice",
        /// a guessed first packet that is wrong, which is allowed
        KexWrongGuess = "kex-wrong-guess",
        /// a reply of the key exchange with another number
        KexReplyNumber = "kex-reply-number",
        /// a public value of zeros
        KexZeroValue = "kex-zero-value",
        /// a public value of 31 bytes
        KexShortValue = "kex-short-value",
        /// a bit of the signature is wrong
        SignatureFlip = "signature-flip",
        /// the signature is of another algorithm's name
        SignatureName = "signature-name",
        /// a signature without a byte
        SignatureEmpty = "signature-empty",
        /// the signature is over something else
        SignatureOther = "signature-other",
        /// an Ed25519 host key, whatever was negotiated (with `--host-key`)
        HostKeyType = "host-key-type",
        /// a host key that is none
        HostKeyGarbage = "host-key-garbage",
        /// another host key, of Ed25519, at a key exchange after the first
        HostKeyChanges = "host-key-changes",
        /// an EXT_INFO that announces 2^32 - 1 extensions
        ExtInfoEndless = "ext-info-endless",
        /// SERVICE_ACCEPT names another service
        ServiceOther = "service-other",
        /// DISCONNECT, for there is no such service
        ServiceRefused = "service-refused",
        /// SUCCESS behind SERVICE_ACCEPT, before anybody asks
        AuthUnasked = "auth-unasked",
        /// each FAILURE claims a partial success
        AuthPartial = "auth-partial",
        /// FAILURE lists methods past its end
        AuthFailureShort = "auth-failure-short",
        /// an answer with the number of another method
        AuthWrongNumber = "auth-wrong-number",
        /// a USERAUTH_REQUEST from the server
        AuthRequest = "auth-request",
        /// banners for ever instead of an answer
        AuthBanners = "auth-banners",
        /// a banner of 200000 bytes with control characters before the answer
        AuthBannerLong = "auth-banner-long",
        /// a round of 2^28 questions
        AskTooMany = "ask-too-many",
        /// OPEN_FAILURE, reason 1
        OpenRefused1 = "open-refused-1",
        /// OPEN_FAILURE, reason 2
        OpenRefused2 = "open-refused-2",
        /// OPEN_FAILURE, reason 3
        OpenRefused3 = "open-refused-3",
        /// OPEN_FAILURE, reason 4
        OpenRefused4 = "open-refused-4",
        /// the channel takes packets of 0 bytes
        OpenPacketZero = "open-packet-zero",
        /// the confirmation comes twice
        OpenTwice = "open-twice",
        /// CHANNEL_FAILURE for the subsystem
        SubsystemRefused = "subsystem-refused",
        /// more data than the client's window takes
        WindowOverrun = "window-overrun",
        /// a window adjust that makes the window larger than 2^32 - 1
        AdjustOverflow = "adjust-overflow",
        /// data and other messages for a channel that does not exist
        ChannelUnknown = "channel-unknown",
        /// EOF and CLOSE instead of a reply
        ChannelClose = "channel-close",
        /// EOF instead of a reply, and then nothing
        ChannelEof = "channel-eof",
        /// data whose inner length does not fit the packet
        DataPastEnd = "data-past-end",
        /// an exit-status without a status before a reply
        ExitStatusShort = "exit-status-short",
        /// an exit-signal with a name of 2^32 - 1 bytes before a reply
        ExitSignalHuge = "exit-signal-huge",
        /// before a reply, requests and a channel open that the client must refuse
        AsksBack = "asks-back",
        /// no VERSION
        VersionNone = "version-none",
        /// VERSION 2
        VersionTwo = "version-2",
        /// VERSION with an extension that runs past its end
        VersionPastEnd = "version-past-end",
        /// a STATUS instead of VERSION
        VersionStatus = "version-status",
        /// a reply with an id that nobody asked with
        ReplyId = "reply-id",
        /// a reply of a type that does not fit
        ReplyType = "reply-type",
        /// a reply of an unknown type
        ReplyTypeUnknown = "reply-type-unknown",
        /// a reply with a length field of 0
        ReplyLength0 = "reply-length-0",
        /// a reply with a length field of 4
        ReplyLength4 = "reply-length-4",
        /// a reply with a length field of 2^32 - 1
        ReplyLengthHuge = "reply-length-huge",
        /// a reply of a type byte and an id, and nothing more
        ReplyShort = "reply-short",
        /// each reply twice
        ReplyTwice = "reply-twice",
        /// STATUS OK for a READ
        ReadOk = "read-ok",
        /// 10 bytes more than a READ asked for
        ReadLong = "read-long",
        /// half of what a READ asked for
        ReadShort = "read-short",
        /// no byte for a READ
        ReadEmpty = "read-empty",
        /// FAILURE and a text for a READ
        ReadError = "read-error",
        /// replies in a random order
        Shuffle = "shuffle",
        /// a NAME with one name that says 1000000
        NameCount = "name-count",
        /// a NAME with a name that runs past its end
        NamePastEnd = "name-past-end",
        /// a handle of 5000 bytes
        HandleLong = "handle-long",
        /// a handle that runs past its end
        HandlePastEnd = "handle-past-end",
        /// STATUS OK before a HANDLE
        StatusBeforeHandle = "status-before-handle",
        /// STATUS OK instead of a HANDLE, and then a NO_SUCH_FILE
        StatusInsteadOfHandle = "status-instead-of-handle",
        /// NO_SPACE and a text for a WRITE, which writes nothing
        WriteError = "write-error",
        /// attributes that announce 2^32 - 1 extensions
        AttributesEndless = "attributes-endless",
        /// attributes that end in the middle
        AttributesShort = "attributes-short",
        /// no reply any more
        ReplySilence = "reply-silence",
    }
}

impl Stage {
    const NAMES: &[(Self, &str)] = &[
        (Self::Ident, "ident"),
        (Self::KexInit, "kexinit"),
        (Self::KexReply, "kex-reply"),
        (Self::NewKeys, "newkeys"),
        (Self::ExtInfo, "ext-info"),
        (Self::Service, "service"),
        (Self::Auth, "auth"),
        (Self::Open, "open"),
        (Self::Subsystem, "subsystem"),
        (Self::Version, "version"),
        (Self::Reply, "reply"),
        (Self::Adjust, "adjust"),
        (Self::Close, "close"),
    ];
}

/// What `--fault` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    Harm(Harm, Stage),
    Fault(Fault),
}

impl Wrong {
    pub fn parse(text: &str) -> Option<Self> {
        let Some((harm, stage)) = text.split_once('@') else {
            return Fault::from_name(text).map(Self::Fault);
        };
        let stage = Stage::NAMES.iter().find(|(_, name)| *name == stage).map(|(stage, _)| *stage)?;
        Harm::from_name(harm).map(|harm| Self::Harm(harm, stage))
    }

    /// The names and what they do, for people.
    pub fn help() -> String {
        let mut text = String::from("Faults:\n");
        for (_, name, what) in Fault::ALL {
            text += &format!("  {name:26}{what}\n");
        }
        text += "Harms, as HARM@STAGE:\n";
        for (_, name, what) in Harm::ALL {
            text += &format!("  {name:26}{what}\n");
        }
        text += "Stages:";
        for (_, name) in Stage::NAMES {
            text += &format!(" {name}");
        }
        text
    }
}

/// Counts the occasions for what goes wrong, and says when it is time.
pub struct Occasion {
    wrong: Option<Wrong>,
    left: usize,
    pause: Duration,
}

impl Occasion {
    /// At the `at`-th occasion, the first being 1, and after a pause.
    pub const fn new(wrong: Option<Wrong>, at: usize, pause: Duration) -> Self {
        Self { wrong, left: at, pause }
    }

    /// Whether it is this fault that goes wrong, whatever the occasion.
    pub fn is(&self, fault: Fault) -> bool {
        self.wrong == Some(Wrong::Fault(fault))
    }

    /// Whether this fault happens now.
    pub fn strikes(&mut self, fault: Fault) -> bool {
        self.is(fault) && self.is_time()
    }

    /// The first of these faults that happens now.
    pub fn strikes_one_of(&mut self, faults: &[Fault]) -> Option<Fault> {
        faults.iter().copied().find(|fault| self.strikes(*fault))
    }

    /// The harm that happens to this message.
    pub fn harm(&mut self, to: Stage) -> Option<Harm> {
        match self.wrong {
            Some(Wrong::Harm(harm, stage)) if stage == to => self.is_time().then_some(harm),
            _ => None,
        }
    }

    fn is_time(&mut self) -> bool {
        let now = self.left == 1;
        self.left = self.left.saturating_sub(1);
        if now {
            thread::sleep(self.pause);
        }
        now
    }
}
