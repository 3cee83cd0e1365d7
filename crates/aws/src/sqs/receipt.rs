//! Receipt handles: sealed receipts as text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lineside_core::command::Command;
use lineside_core::id::Name;
use lineside_core::receipt::Receipt;

use super::Call;
use super::error::{invalid_receipt, missing_parameter};
use crate::protocol::WireError;

/// The handle of a receipt.
pub(super) fn handle(call: Call<'_>, receipt: Receipt) -> String {
    STANDARD.encode(call.aws.key.seal(receipt))
}

/// The receipt behind a handle that names a message of `queue`. A queue that is not there is the
/// graver fault, so it is looked for before a handle is called invalid.
pub(super) async fn of_handle<'h>(
    call: Call<'_>,
    queue: &Name,
    handle: Option<&'h String>,
) -> Result<(Receipt, &'h str), WireError> {
    let handle = handle.ok_or_else(|| missing_parameter("ReceiptHandle"))?;
    let sealed = STANDARD.decode(handle).ok();
    match sealed.and_then(|sealed| call.aws.key.open(&sealed).ok()) {
        Some(receipt) => Ok((receipt, handle)),
        None => {
            call.command(Command::FindQueue { name: queue.clone() }).await?;
            Err(invalid_receipt(handle))
        }
    }
}
