//! JSON in which no object has a name twice: with two, nobody could say which one counts.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::PolicyError;

/// A JSON value. Numbers and truth values are texts, as the language compares them; there is no
/// null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Text(String),
    Scalar(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    pub(super) fn parse(text: &str) -> Result<Node, PolicyError> {
        serde_json::from_str(text).map_err(|error| PolicyError::Json(error.to_string()))
    }

    pub(super) fn into_object(self, what: &str) -> Result<Vec<(String, Node)>, PolicyError> {
        match self {
            Node::Object(members) => Ok(members),
            _ => Err(PolicyError::rule(format!("{what} must be an object"))),
        }
    }

    pub(super) fn into_text(self, what: &str) -> Result<String, PolicyError> {
        match self {
            Node::Text(text) => Ok(text),
            _ => Err(PolicyError::rule(format!("{what} must be a string"))),
        }
    }

    /// A list, or the one thing that stands for a list of it.
    pub(super) fn into_list(self) -> Vec<Node> {
        match self {
            Node::List(nodes) => nodes,
            node => vec![node],
        }
    }

    /// One text or several.
    pub(super) fn into_texts(self, what: &str) -> Result<Vec<String>, PolicyError> {
        self.into_list().into_iter().map(|node| node.into_text(what)).collect()
    }

    /// One value of a condition or several: texts, numbers, truth values.
    pub(super) fn into_values(self, what: &str) -> Result<Vec<String>, PolicyError> {
        let value = |node| match node {
            Node::Text(text) | Node::Scalar(text) => Ok(text),
            Node::List(_) | Node::Object(_) => {
                Err(PolicyError::rule(format!("a value of {what} must be a string")))
            }
        };
        self.into_list().into_iter().map(value).collect()
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a number, a boolean, a list or an object")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Node, E> {
        Ok(Node::Scalar(truth.to_string()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Scalar(number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Scalar(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Scalar(number.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Node, A::Error> {
        let mut members: Vec<(String, Node)> = Vec::new();
        let mut names = std::collections::BTreeSet::new();
        while let Some((name, node)) = object.next_entry::<String, Node>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom("an object has a name twice"));
            }
            members.push((name, node));
        }
        Ok(Node::Object(members))
    }
}
