//! Queries of any kind, as actions, jobs and the cache hold them.

use std::any::{Any, TypeId};
use std::fmt::Debug;
use std::sync::Arc;

use super::{Pool, Query, QueryContext};
use crate::error::InputError;

/// The answer to a query of a kind that only the query knows.
pub(crate) type AnyAnswer = Box<dyn Any + Send>;

/// A query of some kind.
#[derive(Debug, Clone)]
pub(crate) struct Request(Arc<dyn AnyQuery>);

impl Request {
    pub(crate) fn new<Q: Query>(query: &Q) -> Self {
        Self(Arc::new(query.clone()))
    }

    /// Whether it is this query.
    pub(super) fn is<Q: Query>(&self, query: &Q) -> bool {
        self.0.same_as(query)
    }

    /// The query, if it is of this kind.
    pub(super) fn query<Q: Query>(&self) -> Option<&Q> {
        self.0.as_any().downcast_ref()
    }

    pub(super) fn kind(&self) -> Kind {
        self.0.kind()
    }

    /// Computes its answer, as [`Query::answer`].
    pub(super) fn answer(&self, context: &QueryContext<'_>) -> Result<Option<AnyAnswer>, InputError> {
        self.0.any_answer(context)
    }
}

impl PartialEq for Request {
    fn eq(&self, other: &Self) -> bool {
        self.0.same_as(other.0.as_any())
    }
}

/// The kind of a query, with its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    query: TypeId,
    pub(super) pool: Pool,
    pub(super) max_kept: usize,
    pub(super) supersedes: bool,
}

/// [`Query`] without the type of its answer.
trait AnyQuery: Debug + Send + Sync {
    fn kind(&self) -> Kind;
    fn as_any(&self) -> &dyn Any;
    /// Whether `other` is a query of the same kind, and equal.
    fn same_as(&self, other: &dyn Any) -> bool;
    fn any_answer(&self, context: &QueryContext<'_>) -> Result<Option<AnyAnswer>, InputError>;
}

impl<Q: Query> AnyQuery for Q {
    fn kind(&self) -> Kind {
        Kind { query: TypeId::of::<Q>(), pool: Q::POOL, max_kept: Q::MAX_KEPT, supersedes: Q::SUPERSEDES }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn same_as(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<Q>() == Some(self)
    }

    fn any_answer(&self, context: &QueryContext<'_>) -> Result<Option<AnyAnswer>, InputError> {
        Ok(self.answer(context)?.map(|answer| Box::new(answer) as AnyAnswer))
    }
}
