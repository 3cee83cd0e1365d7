//! /v1/subscriptions: durable subscriptions, and the work that they hand out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use lineside_core::id::{EventNumber, Name, Seq, Text};
use lineside_core::receipt::{Receipt, ReceiptKey};
use lineside_core::subscription::{Feeds, SubscriptionSettings, Workers};
use lineside_engine::subscriptions::{
    SUBSCRIPTIONS_MAX, Standing, SubscriptionFault, Subscriptions,
};
use serde_json::Value;

use super::{Answered, Native, answer, wrong_method};
use crate::bounds::PARKED_MAX;
use crate::params::Params;
use crate::problem::{Kind, Problem};
use crate::subscription::{
    Ack, Begin, Feeding, Park, Receive, Replay, Spec, name_of_path, write_deliveries, write_list,
    write_parked, write_settled, write_standing,
};

/// Most subscriptions that one page lists.
const PAGE_MAX: u64 = 64;
/// Most parked events that one page shows.
const PARKED_PAGE_MAX: u64 = 64;

/// What the face needs to serve subscriptions.
#[derive(Clone)]
pub struct Subscribing {
    /// Those that there are.
    pub subscriptions: Subscriptions,
    /// The event store that they are of.
    pub store: Name,
    /// Before the names of subscriptions, and of the queues of their workers.
    pub prefixes: Prefixes,
    /// What receipts are sealed with.
    pub key: ReceiptKey,
    /// The queue that a name on the wire means, of whatever face; and back.
    pub queue_of: fn(&str) -> Name,
    /// The shortest name that means a queue.
    pub name_of: fn(&Name) -> String,
}

/// What making a subscription would come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// It would be made.
    New,
    /// It is there as it is to be.
    Same,
    /// Something else is there under its name.
    Otherwise,
}

/// What stands before the names of resources; none is the begin of another.
#[derive(Clone, Copy, Debug)]
pub struct Prefixes {
    /// Of subscriptions.
    pub subscription: &'static str,
    /// Of queues that workers receive from.
    pub workers: &'static str,
    /// Of queues with what was given up.
    pub parked: &'static str,
}

impl Native {
    /// Everything below /v1/subscriptions.
    pub(super) async fn subscriptions(
        &self,
        rest: Option<&str>,
        head: &Parts,
        body: &Bytes,
    ) -> Answered {
        let Some(rest) = rest else {
            return match head.method {
                Method::GET => self.list_subscriptions(head).await,
                _ => Err(wrong_method("GET")),
            };
        };
        let mut parts = rest.splitn(2, '/');
        let name = name_of_path(parts.next().unwrap_or_default())?;
        let verb = parts.next();
        let has_parameters = verb == Some("parked");
        if !has_parameters {
            Params::read(head.uri.query(), &[])?;
        }
        match (verb, &head.method) {
            (None, &Method::PUT) => self.put_subscription(name, body).await,
            (None, &Method::GET) => self.one_subscription(name, StatusCode::OK).await,
            (None, &Method::DELETE) => self.delete_subscription(name).await,
            (None, _) => Err(wrong_method("GET, PUT, DELETE")),
            (Some("receive"), &Method::POST) => self.receive(name, body).await,
            (Some("ack"), &Method::POST) => self.ack(name, body).await,
            (Some("nack"), &Method::POST) => self.nack(name, body).await,
            (Some("park"), &Method::POST) => self.park(name, body).await,
            (Some("replay"), &Method::POST) => self.replay(name, body).await,
            (Some("receive" | "ack" | "nack" | "park" | "replay"), _) => Err(wrong_method("POST")),
            (Some("parked"), &Method::GET) => self.parked(name, head).await,
            (Some("parked"), _) => Err(wrong_method("GET")),
            (Some(_), _) => {
                let detail = format!("There is nothing at {}.", head.uri.path());
                Err(Problem::new(Kind::NoSuchPath, detail))
            }
        }
    }

    async fn list_subscriptions(&self, head: &Parts) -> Answered {
        let params = Params::read(head.uri.query(), &["after", "limit"])?;
        let limit = bounded(&params, PAGE_MAX)?;
        let with = &self.subscribing;
        let after = params.one("after")?.map(name_of_path).transpose()?;
        let after = after.map(|name| with.name(name));
        let (names, more) = with.subscriptions.names(after, limit).await?;
        let mut all = Vec::new();
        for name in &names {
            // One that is deleted in between is left out.
            all.extend(with.subscriptions.standing(name).await?.map(|one| with.write(&one)));
        }
        let last = names.last().filter(|_| more).map(|name| with.wire_name(name));
        Ok(answer(StatusCode::OK, "application/json", write_list(&all, last)))
    }

    async fn put_subscription(&self, name: &str, body: &Bytes) -> Answered {
        let made = self.subscribe(name, Spec::read(body)?).await?;
        let status = if made { StatusCode::CREATED } else { StatusCode::OK };
        self.one_subscription(name, status).await
    }

    /// Makes a subscription, and says whether it was made now; one that is there is to be the same.
    pub async fn subscribe(&self, name: &str, spec: Spec) -> Result<bool, Problem> {
        let with = &self.subscribing;
        let (settings, _) = self.wished(name, spec).await?;
        Ok(with.subscriptions.create(with.name(name), settings).await?)
    }

    /// What making a subscription would come to.
    pub async fn would_subscribe(&self, name: &str, spec: Spec) -> Result<Wish, Problem> {
        let (settings, before) = self.wished(name_of_path(name)?, spec).await?;
        Ok(match before {
            None => Wish::New,
            Some(before) if before.description.settings == settings => Wish::Same,
            Some(_) => Wish::Otherwise,
        })
    }

    /// The names of all subscriptions, each with what it is set to as PUT takes it.
    pub async fn all_subscriptions(&self) -> Result<Vec<Value>, Problem> {
        let with = &self.subscribing;
        let (names, _) = with.subscriptions.names(None, SUBSCRIPTIONS_MAX).await?;
        let mut all = Vec::new();
        for name in &names {
            all.extend(with.subscriptions.standing(name).await?.map(|one| with.write(&one)));
        }
        Ok(all)
    }

    /// The settings that are wished, and what is there under the name.
    async fn wished(
        &self,
        name: &str,
        spec: Spec,
    ) -> Result<(SubscriptionSettings, Option<Standing>), Problem> {
        let with = &self.subscribing;
        let before = with.subscriptions.standing(&with.name(name)).await?;
        let end = self.events.describe().await?.map_or(EventNumber(0), |store| store.last);
        let after = match (spec.begin, &before) {
            // To say nothing of where it began changes nothing; nor does `end`, which was elsewhere.
            (None | Some(Begin::End), Some(before)) => before.description.settings.after,
            (None | Some(Begin::Start), _) => EventNumber(0),
            (Some(Begin::End), None) => end,
            (Some(Begin::At(number)), _) => EventNumber(number.0.saturating_sub(1)),
        };
        Ok((with.settings(name, spec, after), before))
    }

    async fn one_subscription(&self, name: &str, status: StatusCode) -> Answered {
        let with = &self.subscribing;
        let standing = with.subscriptions.standing(&with.name(name)).await?;
        let standing = standing.ok_or(SubscriptionFault::Missing)?;
        let body = with.write(&standing).to_string();
        Ok(answer(status, "application/json", body.into()))
    }

    async fn delete_subscription(&self, name: &str) -> Answered {
        let with = &self.subscribing;
        with.subscriptions.delete(with.name(name)).await?;
        let mut response = answer(StatusCode::NO_CONTENT, "application/json", Bytes::new());
        response.headers_mut().clear();
        Ok(response)
    }

    async fn receive(&self, name: &str, body: &Bytes) -> Answered {
        let Receive { max, wait, lease } = Receive::read(body)?;
        let with = &self.subscribing;
        let received = with.subscriptions.receive(&with.name(name), max, wait, lease).await?;
        let body = write_deliveries(&received, |receipt| with.seal(receipt));
        Ok(answer(StatusCode::OK, "application/json", body))
    }

    async fn ack(&self, name: &str, body: &Bytes) -> Answered {
        let with = &self.subscribing;
        let full = with.name(name);
        let receipts = match Ack::read(body)? {
            Ack::Receipts(receipts) => receipts,
            Ack::Upto { upto, after } => {
                let standing = with.subscriptions.standing(&full).await?;
                let standing = standing.ok_or(SubscriptionFault::Missing)?;
                let after = after.unwrap_or(standing.description.upto);
                with.subscriptions.advance(full, after, upto).await?;
                return self.one_subscription(name, StatusCode::OK).await;
            }
        };
        let ack = |receipt| with.subscriptions.ack(&full, receipt);
        with.settle(&full, receipts, ack).await
    }

    async fn nack(&self, name: &str, body: &Bytes) -> Answered {
        let Park { receipts, delay, .. } = Park::read_nack(body)?;
        let with = &self.subscribing;
        let full = with.name(name);
        let nack = |receipt| with.subscriptions.nack(&full, receipt, delay);
        with.settle(&full, receipts, nack).await
    }

    async fn park(&self, name: &str, body: &Bytes) -> Answered {
        let Park { receipts, reason, .. } = Park::read_park(body)?;
        let reason = reason.map(Text::new);
        let with = &self.subscribing;
        let full = with.name(name);
        let park = |receipt| with.subscriptions.park(&full, receipt, reason.clone());
        with.settle(&full, receipts, park).await
    }

    async fn parked(&self, name: &str, head: &Parts) -> Answered {
        let params = Params::read(head.uri.query(), &["from", "limit"])?;
        let from = Seq(params.number("from")?.unwrap_or(1));
        let limit = bounded(&params, PARKED_PAGE_MAX)?;
        let with = &self.subscribing;
        let page = with.subscriptions.parked(&with.name(name), from, limit).await?;
        Ok(answer(StatusCode::OK, "application/json", write_parked(&page)))
    }

    async fn replay(&self, name: &str, body: &Bytes) -> Answered {
        let with = &self.subscribing;
        let full = with.name(name);
        let replayed = match Replay::read(body)? {
            Replay::Oldest(max) => with.subscriptions.replay_oldest(&full, max).await?,
            Replay::Ids(ids) => {
                let ids: Vec<Seq> = ids.into_iter().take(PARKED_MAX).map(Seq).collect();
                with.subscriptions.replay(&full, &ids).await?
            }
        };
        let body = serde_json::json!({"replayed": replayed}).to_string();
        Ok(answer(StatusCode::OK, "application/json", body.into()))
    }
}

/// A limit from 1 to `most`, which is what it is if nobody says.
pub(super) fn bounded(params: &Params, most: u64) -> Result<usize, Problem> {
    let limit = params.number("limit")?.unwrap_or(most);
    if !(1..=most).contains(&limit) {
        let detail = format!("The parameter `limit` is from 1 to {most}, and this is {limit}.");
        return Err(Problem::new(Kind::InvalidParameter, detail).at("parameter limit"));
    }
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}

impl Subscribing {
    fn name(&self, name: &str) -> Name {
        Name::new([self.prefixes.subscription, name].concat())
    }

    fn wire_name<'n>(&self, name: &'n Name) -> &'n str {
        name.as_str().strip_prefix(self.prefixes.subscription).unwrap_or(name.as_str())
    }

    fn write(&self, standing: &Standing) -> Value {
        let queue = match &standing.description.settings.feeds {
            Feeds::Queue(queue) => Some((self.name_of)(queue)),
            Feeds::Nothing | Feeds::Workers(_) => None,
        };
        write_standing(self.wire_name(&standing.name), queue.as_deref(), standing)
    }

    fn settings(&self, name: &str, spec: Spec, after: EventNumber) -> SubscriptionSettings {
        let own = |prefix: &str| Name::new([prefix, name].concat());
        let mut note = None;
        let feeds = match spec.feeding {
            Feeding::Cursor => Feeds::Nothing,
            Feeding::Queue(queue) => Feeds::Queue((self.queue_of)(&queue)),
            Feeding::Workers { lease, attempts, order } => {
                note = Some(Text::new(order.word()));
                let (queue, parked) = (own(self.prefixes.workers), own(self.prefixes.parked));
                Feeds::Workers(Workers { queue, parked, lease, attempts })
            }
        };
        let store = self.store.clone();
        SubscriptionSettings { store, query: spec.query, after, feeds, note }
    }

    /// Does something with each receipt, and says which are not in the caller's hands: those that
    /// this server never gave among them.
    async fn settle<F>(
        &self,
        name: &Name,
        receipts: Vec<String>,
        settle: impl Fn(Receipt) -> F,
    ) -> Answered
    where
        F: Future<Output = Result<bool, SubscriptionFault>>,
    {
        // Of one that is not there nobody holds anything.
        self.subscriptions.standing(name).await?.ok_or(SubscriptionFault::Missing)?;
        let (mut settled, mut lost) = (0, Vec::new());
        for text in receipts {
            let is_settled = match self.open(&text) {
                Some(receipt) => settle(receipt).await?,
                None => false,
            };
            match is_settled {
                true => settled += 1,
                false => lost.push(text),
            }
        }
        Ok(answer(StatusCode::OK, "application/json", write_settled(settled, &lost)))
    }

    fn seal(&self, receipt: Receipt) -> String {
        URL_SAFE_NO_PAD.encode(self.key.seal(receipt))
    }

    /// The receipt behind a text, if it is one that this server gave.
    fn open(&self, text: &str) -> Option<Receipt> {
        self.key.open(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }
}
