//! The server that may run, and the port that it would listen on.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use serde_json::Value;

use super::Finding;

/// How long an answer may take; it is one of a few bytes, at once.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most bytes of an answer that are looked at.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// Who answers at the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Nobody,
    /// A Lineside: ready, or why not.
    Ours(Result<(), String>),
    /// Something else, or something that does not answer.
    Another(String),
}

impl Answer {
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Answer::Ours(_))
    }
}

/// Asks for the health of who listens.
pub(crate) fn ask(listen: SocketAddr) -> Answer {
    let address = SocketAddr::new(reachable(listen.ip()), listen.port());
    if listen.port() == 0 {
        return Answer::Nobody;
    }
    match TcpStream::connect_timeout(&address, PATIENCE) {
        Ok(stream) => match exchange(stream, address) {
            Ok(answer) => understand(&answer),
            Err(error) => Answer::Another(format!("it does not answer: {error}")),
        },
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Answer::Nobody,
        Err(error) => Answer::Another(error.to_string()),
    }
}

/// Where one that listens on every address can be met.
fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}

fn exchange(mut stream: TcpStream, address: SocketAddr) -> std::io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /_lineside/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    let read = stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer);
    // Whoever hung up in the middle may have said enough.
    if answer.is_empty() {
        read?;
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn understand(answer: &str) -> Answer {
    let told = answer.split_once("\r\n\r\n").map(|(_, body)| body);
    let told = told.and_then(|body| serde_json::from_str::<Value>(body).ok());
    let Some(told) = told.filter(|told| told.get("live") == Some(&Value::Bool(true))) else {
        return Answer::Another("what it says is no health of Lineside".to_owned());
    };
    if told.get("ready") == Some(&Value::Bool(true)) {
        return Answer::Ours(Ok(()));
    }
    let why = told.get("read_only").and_then(Value::as_str);
    Answer::Ours(Err(match why {
        Some(why) => format!("it is open for reading only: {why}"),
        None => "it is not ready".to_owned(),
    }))
}

/// Lines about the server and the port.
pub(crate) fn look(listen: SocketAddr, answer: &Answer) -> Vec<Finding> {
    match answer {
        Answer::Ours(Ok(())) => vec![
            Finding::well("server", format!("it answers at {listen}, and is ready")),
            Finding::well("port", format!("the server has {listen}")),
        ],
        Answer::Ours(Err(why)) => vec![
            Finding::ill(
                "server",
                format!("it answers at {listen}: {why}"),
                "read what it printed",
            ),
            Finding::well("port", format!("the server has {listen}")),
        ],
        Answer::Nobody => {
            vec![Finding::skipped("server", format!("none answers at {listen}")), port(listen)]
        }
        Answer::Another(why) => vec![
            Finding::skipped("server", format!("what answers at {listen} is none of ours: {why}")),
            taken(listen, "another program has it"),
        ],
    }
}

fn port(listen: SocketAddr) -> Finding {
    if listen.port() == 0 {
        return Finding::well("port", "a free one is taken at the start");
    }
    match TcpListener::bind(listen) {
        Ok(_) => Finding::well("port", format!("{listen} is free")),
        Err(error) => taken(listen, &error.to_string()),
    }
}

fn taken(listen: SocketAddr, why: &str) -> Finding {
    let told = format!("{listen} cannot be listened on: {why}");
    let remedy = format!(
        "find who has it with `ss -ltnp sport = :{}`, or choose another with --listen",
        listen.port()
    );
    Finding::ill("port", told, remedy)
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    fn answer(body: &str) -> Answer {
        understand(&format!("HTTP/1.1 200 OK\r\nX: y\r\n\r\n{body}"))
    }

    #[test]
    fn a_lineside_is_told_from_another() {
        assert_eq!(answer(r#"{"live":true,"ready":true}"#), Answer::Ours(Ok(())));
        let starting = Answer::Ours(Err("it is not ready".to_owned()));
        assert_eq!(answer(r#"{"live":true,"ready":false}"#), starting);
        let Answer::Ours(Err(why)) = answer(r#"{"live":true,"ready":false,"read_only":"rot"}"#)
        else {
            panic!("it is ours");
        };
        assert_eq!(why, "it is open for reading only: rot");
        for other in ["", "{}", "<html>", "{\"live\":1}"] {
            assert!(!answer(other).is_ours(), "{other}");
        }
    }

    #[test]
    fn one_that_is_not_ready_and_a_port_that_is_taken_are_ill() {
        let listen: SocketAddr = "127.0.0.1:4566".parse().unwrap();
        let states = |answer: &Answer| -> Vec<State> {
            look(listen, answer).iter().map(|finding| finding.state).collect()
        };
        assert_eq!(states(&Answer::Ours(Ok(()))), [State::Well, State::Well]);
        assert_eq!(states(&Answer::Ours(Err(String::new()))), [State::Ill, State::Well]);
        assert_eq!(states(&Answer::Another(String::new())), [State::Skipped, State::Ill]);
    }

    #[test]
    fn a_port_that_somebody_has_is_not_free() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = listener.local_addr().unwrap();
        assert_eq!(port(taken).state, State::Ill);
        drop(listener);
        assert_eq!(port(taken).state, State::Well);
    }

    #[test]
    fn who_listens_everywhere_is_met_at_home() {
        assert_eq!(reachable("0.0.0.0".parse().unwrap()), Ipv4Addr::LOCALHOST);
        assert_eq!(reachable("::".parse().unwrap()), Ipv6Addr::LOCALHOST);
    }
}
