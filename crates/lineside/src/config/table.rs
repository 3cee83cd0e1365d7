//! Every key that there is: the one table that the file, the environment, the flags with their
//! `--help`, the documentation and the JSON schema are made of. A new setting is a row here and a
//! field of `Settings`.

use std::ffi::OsStr;

use super::form::{Form, PathOf, Text};
use super::settings::{self, Settings};
use super::subscription;
use super::{model, queue};

/// A key of the file.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    /// Its name, with the unit in it where there is one.
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// What holds when nobody says anything; empty if nothing does.
    pub(crate) default: &'static str,
    /// A sentence for people, without its full stop.
    pub(crate) about: &'static str,
    /// Whether its section is wrong without it.
    pub(crate) needed: bool,
    /// How it is said by the environment and by a flag, if it is.
    pub(crate) said: Option<Said>,
}

/// How a key is said outside of the file; the environment's name is made of the key's own.
#[derive(Clone, Copy)]
pub(crate) struct Said {
    pub(crate) flag: &'static str,
    /// Another name of the flag, which scripts use.
    pub(crate) alias: Option<&'static str>,
    /// What stands for the value in `--help`.
    pub(crate) value: &'static str,
    /// Brings a text that the form has let through into the settings.
    pub(crate) take: fn(&mut Settings, &OsStr) -> Result<(), String>,
}

const fn key(name: &'static str, form: Form, default: &'static str, about: &'static str) -> Key {
    Key { name, form, default, about, needed: false, said: None }
}

impl Key {
    const fn needed(self) -> Key {
        Key { needed: true, ..self }
    }

    const fn said(
        self,
        flag: &'static str,
        value: &'static str,
        take: fn(&mut Settings, &OsStr) -> Result<(), String>,
    ) -> Key {
        Key { said: Some(Said { flag, alias: None, value, take }), ..self }
    }

    const fn also(self, alias: &'static str) -> Key {
        match self.said {
            Some(said) => Key { said: Some(Said { alias: Some(alias), ..said }), ..self },
            None => self,
        }
    }
}

/// A key that is said by flag and environment too, with its way from the top: `auth.mode`.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) path: String,
    pub(crate) key: &'static Key,
    pub(crate) said: Said,
}

impl Setting {
    /// Checks a text of a flag or a variable; the error says what is allowed.
    pub(crate) fn check(&self, given: &OsStr) -> Result<(), String> {
        match self.key.form {
            // What makes a list of a text is the only one that knows its rules.
            Form::List(_) => (self.said.take)(&mut Settings::blank(), given),
            form => form.check(given),
        }
    }

    /// The variable's name: `LINESIDE_AUTH_MODE`.
    pub(crate) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.path.replace('.', "_").to_ascii_uppercase())
    }
}

/// What the variables of the environment begin with.
pub(crate) const PREFIX: &str = "LINESIDE_";
/// The flag, and with the prefix the variable, that names the file.
pub(crate) const FILE_FLAG: &str = "config";
/// The file that is read when none is named.
pub(crate) const FILE_DEFAULT: &str = "lineside.yaml";
/// What that flag says in `--help`.
pub(crate) const FILE_ABOUT: &str = "The configuration file; without this, `lineside.yaml` in the working directory, if it is there";

/// Every setting, in the table's order.
pub(crate) fn settings() -> Vec<Setting> {
    fn walk(keys: &'static [Key], above: &str, found: &mut Vec<Setting>) {
        for key in keys {
            let path = format!("{above}{}", key.name);
            if let Form::Group(inner) = key.form {
                walk(inner, &format!("{path}."), found);
            }
            if let Some(said) = key.said {
                found.push(Setting { path, key, said });
            }
        }
    }
    let mut found = Vec::new();
    walk(KEYS, "", &mut found);
    found
}

/// The keys of the file.
pub(crate) static KEYS: &[Key] = &[
    key(
        "data",
        Form::Path(PathOf::Directory),
        "./lineside-data",
        "The directory that holds the log; not with durability `memory`",
    )
    .said("data", "DIRECTORY", Settings::take_data),
    key(
        "listen",
        Form::Text(ADDRESS),
        "127.0.0.1:4566",
        "Where to listen; port 0 takes a free one and prints it",
    )
    .said("listen", "ADDRESS", Settings::take_listen),
    key(
        "durability",
        Form::Text(DURABILITY),
        "commit",
        "When a call is answered: `commit` (it is on disk), `interval=<ms>` (on disk soon), `memory` \
         (nothing is kept)",
    )
    .said("durability", "DURABILITY", Settings::take_durability),
    key(
        "clock",
        Form::Words(&[
            ("real", "The machine's"),
            ("steerable", "One that tests move ahead by POST /_lineside/clock"),
        ]),
        "real",
        "Whose time it is: `real`, or `steerable`: time that tests can move by POST /_lineside/clock",
    )
    .said("clock", "CLOCK", Settings::take_clock),
    key(
        "limits",
        Form::Words(&[
            ("cloud", "As the clouds document them"),
            ("relaxed", "For throw-away servers of tests"),
        ]),
        "cloud",
        "The clouds' own limits, or `relaxed` ones (no pause after a purge or a deletion)",
    )
    .said("limits", "LIMITS", Settings::take_limits),
    key(
        "inbox_requests",
        Form::Whole { least: 4, most: 1_000_000 },
        "8192",
        "Most requests that wait for a turn; beyond it sends get the cloud's throttling answer",
    )
    .said("inbox-requests", "REQUESTS", Settings::take_inbox)
    .also("inbox"),
    key(
        "state_mib",
        Form::Whole { least: 16, most: 1 << 20 },
        "2048",
        "The budget of what is kept in memory, about 100 bytes a message, bodies not counted; at it \
         sends get the cloud's throttling answer until messages are deleted",
    )
    .said("state-mib", "MIB", Settings::take_state),
    key(
        "ready_file",
        Form::Path(PathOf::File),
        "",
        "A file to write, as JSON with pid and endpoints, when the server is ready",
    )
    .said("ready-file", "FILE", Settings::take_ready_file),
    key(
        "insecure",
        Form::Switch,
        "false",
        "Listen on an address that others can reach, although nobody's signature is checked",
    )
    .said("insecure", "true|false", Settings::take_insecure),
    key("auth", Form::Group(AUTH), "", "Who may call"),
    key("queues", Form::List(QUEUE), "", "Queues that are there before the server is ready"),
    key(
        "models",
        Form::Named {
            keys: MODEL,
            name: Text {
                what: model::NAME,
                check: model::check_name,
                pattern: "^[A-Za-z0-9_-]{1,100}$",
            },
            most: 256,
        },
        "",
        "Models by their names: how the events of streams become states",
    ),
    key(
        "subscriptions",
        Form::List(SUBSCRIPTION),
        "",
        "Durable subscriptions to events, there before the server is ready",
    ),
];

static AUTH: &[Key] = &[
    key(
        "mode",
        Form::Words(&[
            ("none", "Nobody's signature is checked"),
            ("sigv4", "AWS Signature Version 4, with one of the keys"),
        ]),
        "none",
        "What is asked of a caller: nothing, or a signature with one of the keys",
    )
    .said("auth", "MODE", Settings::take_auth_mode),
    key(
        "keys",
        Form::List(ACCESS_KEY),
        "",
        "The keys that callers sign with; as a text `ID:SECRET`, several with a comma between them",
    )
    .said("access-key", "ID:SECRET", Settings::take_auth_keys),
];

static ACCESS_KEY: &[Key] = &[
    key(
        "id",
        Form::Text(Text {
            what: queue::KEY_ID,
            check: queue::check_key_id,
            pattern: "^[A-Za-z0-9_]{1,128}$",
        }),
        "",
        "The id of the key, as callers send it",
    )
    .needed(),
    key(
        "secret",
        Form::Text(Text {
            what: queue::SECRET,
            check: queue::check_secret,
            pattern: "^[!-+\\--~]{1,128}$",
        }),
        "",
        "The secret that callers sign with; it is printed nowhere",
    )
    .needed(),
    key(
        "account",
        Form::Text(ACCOUNT),
        "",
        "The account of its holder; when left out, the id if that has 12 digits, else 000000000000",
    ),
];

static QUEUE: &[Key] = &[
    key("name", Form::Text(QUEUE_NAME), "", "Its name; a FIFO queue's ends in `.fifo`").needed(),
    key(
        "fifo",
        Form::Switch,
        "",
        "Whether it keeps the order; only what its name says already may be said",
    ),
    key("account", Form::Text(ACCOUNT), "000000000000", "The account that it belongs to"),
    key(
        "region",
        Form::Text(Text {
            what: queue::REGION,
            check: queue::check_region,
            pattern: "^[A-Za-z0-9-]{1,32}$",
        }),
        "us-east-1",
        "The region that it lies in",
    ),
    key(
        "visibility_seconds",
        Form::Whole { least: 0, most: 43_200 },
        "30",
        "How long a received message is hidden from others (VisibilityTimeout)",
    ),
    key(
        "delay_seconds",
        Form::Whole { least: 0, most: 900 },
        "0",
        "How long a new message is held back (DelaySeconds)",
    ),
    key(
        "retention_seconds",
        Form::Whole { least: 60, most: 1_209_600 },
        "345600",
        "How long a message is kept (MessageRetentionPeriod)",
    ),
    key(
        "max_message_bytes",
        Form::Whole { least: 1024, most: 1_048_576 },
        "1048576",
        "The largest message (MaximumMessageSize)",
    ),
    key(
        "wait_seconds",
        Form::Whole { least: 0, most: 20 },
        "0",
        "How long a receive waits for a first message (ReceiveMessageWaitTimeSeconds)",
    ),
    key(
        "dead_letter",
        Form::GroupOrNone(DEAD_LETTER),
        "none",
        "Where messages go that were received too often (RedrivePolicy)",
    ),
    key(
        "dead_letter_sources",
        Form::WordsOrNames {
            words: &[("all", "Every queue of the account and the region"), ("none", "No queue")],
            most: 10,
            name: QUEUE_NAME,
        },
        "all",
        "Which queues may name this one as their dead-letter queue (RedriveAllowPolicy)",
    ),
    key(
        "content_deduplication",
        Form::Switch,
        "false",
        "FIFO only: whether the body serves as a deduplication id (ContentBasedDeduplication)",
    ),
    key(
        "deduplication_scope",
        Form::Words(&[("queue", "The whole queue"), ("group", "Each message group for itself")]),
        "queue",
        "FIFO only: where a deduplication id counts (DeduplicationScope)",
    ),
    key(
        "throughput_limit",
        Form::Words(&[("queue", "For the whole queue"), ("group", "For each message group")]),
        "queue",
        "FIFO only: what the throughput is counted for; `group` needs deduplication_scope `group` \
         (FifoThroughputLimit)",
    ),
    key("tags", Form::Texts { most: 50, check: queue::check_tag }, "", "Names with a text each"),
];

static MODEL: &[Key] = &[
    key(
        "category",
        Form::Text(Text {
            what: model::CATEGORY,
            check: model::check_category,
            pattern: "^[^-]{1,1024}$",
        }),
        "",
        "The category of its streams: the entity 42 of category `account` is the stream `account-42`",
    )
    .needed(),
    key(
        "merge",
        Form::Switch,
        "",
        "Whether the data of each event is a merge patch to the state (RFC 7396)",
    ),
    key(
        "javascript",
        Form::Path(PathOf::File),
        "",
        "A file with a module that exports `evolve(state, event)`, and perhaps `initial`",
    ),
    key("module", Form::Text(MODULE), "", "The module itself, instead of a file"),
];

static DEAD_LETTER: &[Key] = &[
    key(
        "queue",
        Form::Text(QUEUE_NAME),
        "",
        "The name of a queue of the same kind, account and region; it may be declared further down",
    )
    .needed(),
    key(
        "max_receives",
        Form::Whole { least: 1, most: 1000 },
        "",
        "After so many receives a message goes there",
    )
    .needed(),
];

static SUBSCRIPTION: &[Key] = &[
    key(
        "name",
        Form::Text(Text {
            what: subscription::NAME,
            check: subscription::check_name,
            pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$",
        }),
        "",
        "Its name",
    )
    .needed(),
    TYPES,
    TAGS,
    STREAM,
    CATEGORY,
    CORRELATION,
    key("any", Form::List(ITEM), "", "Events that fit any of these, each with keys as above"),
    key(
        "from",
        Form::Text(Text {
            what: subscription::BEGIN,
            check: subscription::check_begin,
            pattern: "^(start|end|[1-9][0-9]*)$",
        }),
        "start",
        "Where it begins when it is made: `start`, `end`, or an event's number",
    ),
    key(
        "queue",
        Form::Text(LABEL),
        "",
        "The queue that the events go to, by its name, or as `aws/<account>/<region>/queue/<name>`",
    ),
    key(
        "workers",
        Form::Group(WORKERS),
        "",
        "What is promised to workers who compete for the events",
    ),
];

/// One way to fit.
static ITEM: &[Key] = &[TYPES, TAGS, STREAM, CATEGORY, CORRELATION];

const TYPES: Key = key(
    "types",
    Form::WordsOrNames { words: &[], most: 64, name: LABEL },
    "",
    "Only events of one of these types",
);

const TAGS: Key = key(
    "tags",
    Form::WordsOrNames {
        words: &[],
        most: 64,
        name: Text { what: subscription::TAG, check: subscription::check_tag, pattern: "^[^,]+$" },
    },
    "",
    "Only events with all of these tags",
);

const STREAM: Key = key("stream", Form::Text(LABEL), "", "Only events of this stream");

const CATEGORY: Key = key(
    "category",
    Form::Text(Text {
        what: subscription::CATEGORY,
        check: subscription::check_category,
        pattern: "^[^-]+$",
    }),
    "",
    "Only events of streams whose names have this before their first hyphen",
);

const CORRELATION: Key =
    key("correlation", Form::Text(LABEL), "", "Only events with this correlation id");

static WORKERS: &[Key] = &[
    key(
        "lease_seconds",
        Form::Whole { least: 1, most: 43_200 },
        "30",
        "How long a worker may take before others get the event",
    ),
    key(
        "attempts",
        Form::Whole { least: 1, most: 1000 },
        "5",
        "After so many attempts an event is parked",
    ),
    key(
        "order",
        Form::Words(&[
            ("stream", "Those of a stream come one after another"),
            ("correlation", "Those with a correlation id come one after another"),
            ("none", "They have no order"),
        ]),
        "stream",
        "Which events come one after another",
    ),
];

const LABEL: Text =
    Text { what: subscription::LABEL, check: subscription::check_label, pattern: "^.+$" };

const MODULE: Text = Text { what: model::MODULE, check: model::check_module, pattern: "^" };

const ADDRESS: Text = Text {
    what: "an IP address and a port",
    check: |text| settings::address(text).map(drop),
    pattern: "^.+:[0-9]{1,5}$",
};

const DURABILITY: Text = Text {
    what: "`commit`, `interval=<ms>` or `memory`",
    check: |text| settings::durability(text).map(drop),
    pattern: "^(commit|interval=[0-9]+|memory)$",
};

const ACCOUNT: Text =
    Text { what: queue::ACCOUNT, check: queue::check_account, pattern: "^[0-9]{12}$" };

const QUEUE_NAME: Text = Text {
    what: queue::NAME,
    check: queue::check_name,
    pattern: "^[A-Za-z0-9_-]{1,80}$|^[A-Za-z0-9_-]{1,75}\\.fifo$",
};
