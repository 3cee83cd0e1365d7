//! Subscriptions in JSON: what they are asked to be, what is asked of them, how they stand.

mod message;
mod request;
mod write;

pub use message::message_of;
pub use request::{Ack, Begin, Feeding, Park, Receive, Replay, Spec, name_of_path};
pub use write::{write_deliveries, write_list, write_parked, write_settled, write_standing};
