//! Shapes as data: what a codec must know to read and write a value without its Rust type.
//!
//! A value in its neutral form is a [`serde_json::Value`] with the model's names, binary values in
//! base64: what the JSON protocol has, and what every generated type can be made of and made into.
//! The tables are generated; nothing is looked up by name at run time but members in an object.

use http::StatusCode;

use super::error::WireError;

/// The form of a value.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Text.
    Text,
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 64 bits.
    Long,
    /// `true` or `false`.
    Boolean,
    /// A number with a fraction; or, as text, `NaN`, `Infinity` or `-Infinity`.
    Float,
    /// Bytes, base64 in every protocol that is here.
    Blob,
    /// Several of one shape.
    List(&'static List),
    /// Several of one shape by name.
    Map(&'static Map),
    /// Members of several shapes.
    Structure(&'static Structure),
}

/// A list.
#[derive(Debug)]
pub struct List {
    /// Each item.
    pub item: Shape,
    /// What stands around each item in Query; nothing when the list is flattened, and the items
    /// have the member's own name.
    pub within: Option<&'static str>,
}

/// A map from text.
#[derive(Debug)]
pub struct Map {
    /// What a key is called in Query.
    pub key: &'static str,
    /// What a value is called in Query.
    pub value: &'static str,
    /// Each value.
    pub item: Shape,
    /// What stands around each entry in Query; nothing when the map is flattened.
    pub within: Option<&'static str>,
}

/// A structure.
#[derive(Debug)]
pub struct Structure {
    /// Its name in the model; empty for "nothing at all".
    pub name: &'static str,
    /// Its members, in the model's order.
    pub members: &'static [Member],
}

/// A member of a structure.
#[derive(Debug)]
pub struct Member {
    /// Its name in the model, and in JSON.
    pub name: &'static str,
    /// Its name in Query.
    pub wire: &'static str,
    /// Its form.
    pub shape: Shape,
}

/// A member, in one line of a table.
pub const fn member(name: &'static str, wire: &'static str, shape: Shape) -> Member {
    Member { name, wire, shape }
}

/// An error of a service: the name of its shape, and what Query calls it.
#[derive(Debug)]
pub struct ErrorCode {
    /// The shape's name.
    pub name: &'static str,
    /// Its code in Query.
    pub code: &'static str,
    /// Its HTTP status in Query.
    pub status: u16,
}

/// An error, in one line of a table.
pub const fn error(name: &'static str, code: &'static str, status: u16) -> ErrorCode {
    ErrorCode { name, code, status }
}

/// What all operations of a service share.
#[derive(Debug)]
pub struct Service {
    /// What stands before the dot in `X-Amz-Target`.
    pub target_prefix: &'static str,
    /// The API's version, as `Version` has it.
    pub version: &'static str,
    /// The namespace of its XML.
    pub namespace: &'static str,
    /// Its errors.
    pub errors: &'static [ErrorCode],
}

impl Structure {
    /// Whether it has a member of this name.
    pub fn has(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name == name)
    }
}

impl Service {
    fn find(&self, error: &WireError) -> Option<&ErrorCode> {
        self.errors.iter().find(|known| known.name == error.code())
    }

    /// What Query calls an error: one that the models do not name has one name everywhere.
    pub fn code<'e>(&self, error: &'e WireError) -> &'e str {
        match self.find(error) {
            Some(known) => known.code,
            None => crate::auth::query_code(error.code()).unwrap_or(error.code()),
        }
    }

    /// The status of an error in Query.
    pub fn status(&self, error: &WireError) -> StatusCode {
        let known = self.find(error).and_then(|known| StatusCode::from_u16(known.status).ok());
        known.unwrap_or(error.status())
    }
}
