//! Receipt handles: sealed receipts as text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lineside_core::receipt::Receipt;

use super::Call;
use super::error::{invalid_receipt, missing_parameter};
use crate::protocol::WireError;

/// The handle of a receipt.
pub(super) fn handle(call: Call<'_>, receipt: Receipt) -> String {
    STANDARD.encode(call.aws.key.seal(receipt))
}

/// The receipt behind a handle.
pub(super) fn of_handle<'h>(
    call: Call<'_>,
    handle: Option<&'h String>,
) -> Result<(Receipt, &'h str), WireError> {
    let handle = handle.ok_or_else(|| missing_parameter("ReceiptHandle"))?;
    let sealed = STANDARD.decode(handle).ok();
    let receipt = sealed.and_then(|sealed| call.aws.key.open(&sealed).ok());
    receipt.map(|receipt| (receipt, handle.as_str())).ok_or_else(|| invalid_receipt(handle))
}
