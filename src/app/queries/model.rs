//! Base models, adapters and tokenizers in files, and what a project's data and model come to together.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Query, QueryContext};
use crate::budget::setup::{Setup, relevant};
use crate::data::Dataset;
use crate::error::{InputError, RunError};
use crate::model::inspect::{AdapterSummary, ModelSummary, content_hash};
use crate::model::tokenizer::{Tokenizer, Trial};
use crate::project::Project;

/// A base model's headers and tokenizer, before anything is loaded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelFiles {
    pub(crate) path: PathBuf,
}

impl Query for ModelFiles {
    type Answer = ModelSummary;

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<ModelSummary>, InputError> {
        ModelSummary::read(&self.path).map(Some)
    }
}

/// SHA-256 of a base model's weights, in hexadecimal digits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WeightsHash {
    pub(crate) path: PathBuf,
}

impl Query for WeightsHash {
    type Answer = String;

    fn answer(&self, context: &QueryContext<'_>) -> Result<Option<String>, InputError> {
        content_hash(&self.path, context.job.cancelled())
    }
}

/// A base model's tokenizer with the tokens that the dataset adds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TokenizerTrial {
    pub(crate) path: PathBuf,
    pub(crate) added: Arc<Vec<String>>,
    /// Number of the first added token.
    pub(crate) base: usize,
}

impl Query for TokenizerTrial {
    type Answer = Trial;

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<Trial>, InputError> {
        Tokenizer::open(&self.path)?.trial(&self.added, self.base).map(Some)
    }
}

/// An adapter's folder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AdapterFiles {
    pub(crate) path: PathBuf,
}

impl Query for AdapterFiles {
    type Answer = AdapterSummary;

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<AdapterSummary>, InputError> {
        AdapterSummary::read(&self.path).map(Some)
    }
}

/// What data, prompt and base model of a project come to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrainingSetup {
    project: Arc<Project>,
}

impl TrainingSetup {
    /// Of a project; what the setup does not depend on is left out, so that changing it computes nothing anew.
    pub(crate) fn of(project: &Project) -> Self {
        Self { project: Arc::new(relevant(project)) }
    }
}

impl Query for TrainingSetup {
    type Answer = Setup;

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<Setup>, InputError> {
        let project = &self.project;
        let dataset = Dataset::load(&project.dataset, project.index_path().as_deref(), &project.folder)?;
        let setup = Setup::of(project, Arc::new(dataset)).map_err(|failure| match failure {
            RunError::Input(error) => error,
            other => InputError::new(&project.folder, other.to_string()),
        })?;
        Ok(Some(setup))
    }
}
