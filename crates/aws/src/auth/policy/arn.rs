//! Patterns of ARNs. They are matched part by part, so that a wildcard in one part does not reach
//! into the next (IAM user guide, "Resource", and "Amazon Resource Name (ARN) condition
//! operators").

use super::pattern::Pattern;
use super::{Context, PolicyError, Version};

/// The parts of an ARN; the last may hold more colons.
const PARTS: usize = 6;

/// A pattern of ARNs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ArnPattern {
    Any,
    Parts(Vec<Pattern>),
}

impl ArnPattern {
    /// Reads the ARN of a resource: parts that are not there are any (user guide, "Resource": an
    /// incomplete ARN is completed with wildcards).
    pub(super) fn of_resource(text: &str, version: Version) -> Result<ArnPattern, PolicyError> {
        if text != "*" && !text.starts_with("arn:") {
            return Err(PolicyError::rule("a resource must be * or have the form arn:aws:sqs:…"));
        }
        let mut pattern = ArnPattern::of_condition(text, version)?;
        if let ArnPattern::Parts(parts) = &mut pattern {
            parts.resize(PARTS, Pattern::any());
        }
        Ok(pattern)
    }

    /// Reads the value of a condition; what is no whole ARN fits no ARN.
    pub(super) fn of_condition(text: &str, version: Version) -> Result<ArnPattern, PolicyError> {
        if text == "*" {
            return Ok(ArnPattern::Any);
        }
        let mut parts = Pattern::read(text, true, version)?.split_colons();
        if parts.len() > PARTS {
            let rest = parts.split_off(PARTS - 1);
            parts.push(Pattern::join_colons(rest));
        }
        Ok(ArnPattern::Parts(parts))
    }

    pub(super) fn matches(&self, arn: &str, context: &Context) -> bool {
        let ArnPattern::Parts(patterns) = self else { return true };
        let parts: Vec<&str> = arn.splitn(PARTS, ':').collect();
        let mut pairs = patterns.iter().zip(&parts);
        let whole = patterns.len() == PARTS && parts.len() == PARTS;
        whole && pairs.all(|(pattern, part)| pattern.matches(part, context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDERS: &str = "arn:aws:sqs:eu-west-1:111122223333:orders";

    fn matches(pattern: &str, arn: &str) -> bool {
        let pattern = ArnPattern::of_resource(pattern, Version::V2012).unwrap();
        pattern.matches(arn, &Context::new())
    }

    #[test]
    fn each_part_is_matched_by_itself() {
        assert!(matches("*", ORDERS) && matches(ORDERS, ORDERS));
        assert!(matches("arn:aws:sqs:*:111122223333:ord*", ORDERS));
        assert!(!matches("arn:aws:sqs:*:orders", ORDERS), "no wildcard spans two parts");
        assert!(!matches("arn:aws:sqs:eu-west-1:*3333:other", ORDERS));
        let topic = "arn:aws:sns:eu-west-1:111122223333:topic:0000-1111";
        assert!(matches("arn:aws:sns:*:*:topic:*", topic) && matches("arn:aws:sns:*:*:t*", topic));
        assert!(!matches("arn:aws:sns:*:*:topic", topic));
    }

    #[test]
    fn parts_that_are_not_there_are_any_in_a_resource_only() {
        assert!(matches("arn:aws:sqs", ORDERS) && matches("arn:aws:sqs:eu-west-1:*", ORDERS));
        let condition = ArnPattern::of_condition("arn:aws:sqs:*", Version::V2012).unwrap();
        assert!(!condition.matches(ORDERS, &Context::new()));
    }

    #[test]
    fn what_is_no_arn_is_refused_or_does_not_match() {
        assert!(ArnPattern::of_resource("orders", Version::V2012).is_err());
        assert!(ArnPattern::of_resource("", Version::V2012).is_err());
        assert!(!matches("arn:*:*:*:*:*", "orders"));
    }
}
