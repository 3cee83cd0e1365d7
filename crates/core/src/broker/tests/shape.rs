//! What the state costs.

use crate::broker::message::Message;

#[test]
fn a_message_costs_about_a_hundred_bytes() {
    let size = size_of::<Message>();
    assert!(size <= 136, "{size} bytes");
}
