//! Who may do what: signatures (who calls) and queue policies (what they may do).
//!
//! Pure: a request, the keys, a policy and the time go in, a [`sigv4::Signer`] or a refusal comes
//! out. Must never know the engine, a clock or a socket. Enter at [`sigv4::verify`] and
//! [`policy::authorize`].

mod error;
mod gate;
mod keys;
mod moment;
pub mod policy;
pub mod sigv4;

pub use error::AuthError;
pub(crate) use gate::{Access, query_code};
pub use gate::{Gate, Peer};
pub use keys::{KeyError, Keys};
pub use moment::Moment;
