//! What every method recommends to a history that somebody made up: the lists that its tests would be answered with, after a
//! stage and after the one before, of all items or of new ones alone.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{analysis_folder, cache};
use crate::baseline::stage_recommender::Query;
use crate::baseline::{CoOccurrence, CountingBaseline, Popularity};
use crate::canonical;
use crate::data::{Dataset, KnownItems};
use crate::error::{InputError, RunError};
use crate::method::MethodOptions;
use crate::model::backend::{OnDevice, TrainingBackend, run_on};
use crate::project::Project;
use crate::run::{RunFolder, RunMethod, RunOptions};
use crate::train::evaluate::{KnownCatalogue, TOP, recommended};
use crate::train::model_loading::unreported;
use crate::train::recommender::{self, state_file};
use crate::train::recorder::guarded;
use crate::train::stage_artifacts::predicting;
use crate::train::stage_data::{decoder, writer};
use crate::train::{Task, hybrid};

/// What is asked of every run.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Whose history it is; none of a history that is nobody's.
    pub user: Option<u32>,
    /// Oldest first, as indices into the dataset's items.
    pub history: Vec<u32>,
    /// The models after this stage answer, from 1, and those after the stage before.
    pub stage: usize,
    /// Lists hold only items that this many stages up to the stage brought, at least 1; all items where there is none.
    pub new_items: Option<usize>,
}

impl Question {
    /// The items that both lists are restricted to.
    fn among(&self, dataset: &Dataset) -> Result<Option<KnownCatalogue>, InputError> {
        let Some(stages) = self.new_items else { return Ok(None) };
        let items = KnownItems::brought(dataset, self.stage - 1, stages);
        if items.iter().next().is_none() {
            let problem = format!("{} brought no item that was not there before", stages_words(self.stage, stages));
            return Err(InputError::new(&dataset.name, problem).at("`--new-items`").advice("ask for more stages"));
        }
        Ok(Some(KnownCatalogue::with(dataset, items)))
    }
}

/// The last `stages` stages up to `stage`, from 1: `stage 3`, `stages 2 to 3`.
pub fn stages_words(stage: usize, stages: usize) -> String {
    match (stage + 1).saturating_sub(stages).max(1) {
        first if first == stage => format!("stage {stage}"),
        first => format!("stages {first} to {stage}"),
    }
}

/// The answers of several runs to one history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecommendReport {
    /// Oldest first.
    pub history: Vec<ListedItem>,
    /// From 1.
    pub stage: usize,
    pub synthetic: bool,
    /// Lists hold only items that this many stages up to the stage brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_items: Option<usize>,
    /// One a run, in the order of the question.
    pub answers: Vec<RunAnswer>,
}

/// What one run answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunAnswer {
    /// The run's id.
    pub run: String,
    pub experiment: String,
    pub seed: u64,
    /// The first ten, best first; empty where there is a problem.
    pub items: Vec<ListedItem>,
    /// The same after the stage before; none in stage 1.
    pub before: Option<Vec<ListedItem>>,
    /// Why the run cannot answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedItem {
    /// The id in the files.
    pub id: String,
    pub title: Option<String>,
}

impl RunAnswer {
    /// Whether an item was not in the list a stage ago; never in stage 1.
    pub fn is_new(&self, item: &ListedItem) -> bool {
        self.before.as_ref().is_some_and(|before| !before.contains(item))
    }
}

/// The items of ids, or of titles that only one item has, in their order; what is none itself may be several with commas between.
///
/// # Errors
/// Names the first that is none.
pub fn items_of(project: &Project, dataset: &Dataset, names: &[String]) -> Result<Vec<u32>, InputError> {
    let find = |name: &str| {
        let name = name.trim();
        let place = |found: &dyn Fn(&crate::data::Item) -> bool| dataset.items.iter().position(found);
        let titled = |item: &crate::data::Item| item.title.as_deref() == Some(name);
        let only = place(&titled).filter(|_| dataset.items.iter().filter(|item| titled(item)).count() == 1);
        place(&|item| item.id == name).or(only).map(|place| place as u32).ok_or_else(|| {
            InputError::new(&project.folder, format!("no item has the id or the title \"{name}\""))
                .at("`--history`")
                .advice("`peso semantic-ids PROJECT --items FILE` lists the items; Users in the window searches them")
        })
    };
    let mut items = Vec::new();
    for name in names {
        match find(name) {
            Ok(item) => items.push(item),
            Err(error) if !name.contains(',') => return Err(error),
            Err(_) => items.extend(name.split(',').map(find).collect::<Result<Vec<u32>, _>>()?),
        }
    }
    Ok(items)
}

/// What an answer is kept by, beside run and stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskedHistory {
    /// Ids of items, oldest first.
    pub history: Vec<String>,
    /// Whose it is, by the name that the data have.
    pub user: Option<String>,
    /// See [`Question::new_items`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_items: Option<usize>,
}

/// What a run was last asked, with its answer.
#[derive(Serialize, Deserialize)]
struct KeptAnswer {
    #[serde(flatten)]
    asked: AskedHistory,
    answer: RunAnswer,
}

/// What a run answered after a stage, from 1; none where it was not asked, or has been trained again since.
///
/// # Errors
/// The run's records cannot be read.
pub fn kept(run: &RunFolder, asked: &AskedHistory, stage: usize) -> Result<Option<RunAnswer>, InputError> {
    let kept: Option<KeptAnswer> = cache::read(&answer_file(run, asked, stage), &made_from(run, stage)?);
    Ok(kept.filter(|kept| kept.asked == *asked).map(|kept| kept.answer))
}

fn keep(run: &RunFolder, asked: &AskedHistory, stage: usize, answer: &RunAnswer) -> Result<(), InputError> {
    let kept = KeptAnswer { asked: asked.clone(), answer: answer.clone() };
    cache::write(&answer_file(run, asked, stage), &made_from(run, stage)?, &kept)
}

fn answer_file(run: &RunFolder, asked: &AskedHistory, stage: usize) -> PathBuf {
    let hash = canonical::hash("history", &json!(asked));
    analysis_folder(run, stage).join(format!("history_{}.json", &hash[..16]))
}

/// Identifies what the stage and the one before it left.
fn made_from(run: &RunFolder, stage: usize) -> Result<String, InputError> {
    let mut records = run.reader()?.stages()?;
    records.retain(|record| record.finished && (record.stage == stage || record.stage + 1 == stage));
    Ok(canonical::hash("answer", &json!({"data": run.config().data_hash, "stages": records})))
}

/// Asks runs, one after the other; `on_answer` is told how many have answered before each, and which is next.
///
/// A run that cannot answer says why, and does not keep the others from it.
///
/// # Errors
/// Only new items are wanted, and there are none.
pub fn ask(
    dataset: &Arc<Dataset>,
    runs: &[RunFolder],
    question: &Question,
    options: &RunOptions,
    on_answer: &mut dyn FnMut(usize, &RunFolder),
) -> Result<RecommendReport, InputError> {
    let among = question.among(dataset)?;
    let listed = |item: &u32| {
        let known = &dataset.items[*item as usize];
        ListedItem { id: known.id.clone(), title: known.title.clone() }
    };
    let lists = |run: &RunFolder| -> Result<(Vec<ListedItem>, Option<Vec<ListedItem>>), RunError> {
        let task = task_of(run, dataset, options)?;
        let at =
            |stage| list(&task, run, (question, among.as_ref()), stage).map(|list| list.iter().map(listed).collect());
        let before = if question.stage > 1 { Some(at(question.stage - 1)?) } else { None };
        Ok((at(question.stage)?, before))
    };
    let asked = AskedHistory {
        history: question.history.iter().map(|&item| dataset.items[item as usize].id.clone()).collect(),
        user: question.user.and_then(|user| dataset.users.get(user as usize)).cloned(),
        new_items: question.new_items,
    };
    let answer = |(place, run): (usize, &RunFolder)| {
        if let Ok(Some(kept)) = kept(run, &asked, question.stage) {
            return kept;
        }
        on_answer(place, run);
        let config = run.config();
        let ((items, before), problem) = match lists(run) {
            Ok(lists) => (lists, None),
            Err(error) => ((Vec::new(), None), Some(error.to_string())),
        };
        let (id, experiment, seed) = (config.run.clone(), config.experiment.clone(), config.seed);
        let answer = RunAnswer { run: id, experiment, seed, items, before, problem };
        if answer.problem.is_none() {
            // An answer that cannot be kept is as good; it is asked for again the next time.
            let _ = keep(run, &asked, question.stage, &answer);
        }
        answer
    };
    Ok(RecommendReport {
        answers: runs.iter().enumerate().map(answer).collect(),
        history: question.history.iter().map(listed).collect(),
        stage: question.stage,
        synthetic: dataset.synthetic,
        new_items: question.new_items,
    })
}

fn task_of<'r>(run: &'r RunFolder, dataset: &Arc<Dataset>, options: &RunOptions) -> Result<Task<'r>, RunError> {
    let config = run.config();
    if dataset.hash != config.data_hash {
        return Err(InputError::new(run.path(), "the run was made from other data")
            .advice("run the experiment again to ask it too")
            .into());
    }
    Task::of(&config.project, Arc::clone(dataset), options)
}

/// The first items that the model after a stage (from 1) lists, of all or `among` some.
fn list(
    task: &Task<'_>,
    run: &RunFolder,
    (question, among): (&Question, Option<&KnownCatalogue>),
    stage: usize,
) -> Result<Vec<u32>, RunError> {
    let trained = run.reader()?.stages()?.into_iter().any(|record| record.stage == stage && record.finished);
    if !trained {
        return Err(InputError::new(run.path(), format!("stage {stage} is not trained")).into());
    }
    let query = Query { user: question.user.unwrap_or(Query::NOBODY), history: &question.history };
    let counted: Box<dyn CountingBaseline> = match &run.config().method {
        RunMethod::Learned(method) => {
            let asking = Asking { task, run, method, stage, query, among };
            return guarded(task, || run_on(&task.device, asking));
        }
        RunMethod::Popularity => Box::new(Popularity::fit(&task.dataset, stage - 1)),
        RunMethod::CoOccurrence => {
            let chosen = run.reader()?.chosen_options()?;
            let chosen = chosen.ok_or_else(|| InputError::new(run.path(), "the run has not chosen its options"))?;
            Box::new(CoOccurrence::fit(&task.dataset, stage - 1, chosen.options))
        }
    };
    Ok(counted.recommend(query.history, TOP, among.map(|among| &among.items)))
}

struct Asking<'a> {
    task: &'a Task<'a>,
    run: &'a RunFolder,
    method: &'a MethodOptions,
    stage: usize,
    query: Query<'a>,
    among: Option<&'a KnownCatalogue>,
}

impl OnDevice for Asking<'_> {
    type Output = Result<Vec<u32>, RunError>;

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        let Self { task, run, method, stage, query, among } = self;
        let seed = run.config().seed;
        if let Some(options) = method.method().fusion() {
            let mut list = hybrid::recommended::<B>(task, (options, seed), stage, (query, among), device)?;
            list.truncate(TOP);
            return Ok(list);
        }
        if let Some(mut recommender) = recommender::make::<B>(task, method, seed, device)? {
            recommender.load(&state_file(run, stage))?;
            let lists = recommender.recommend(&[query], TOP, among.map(|among| &among.items));
            return Ok(lists.iter().flatten().map(|scored| scored.item).collect());
        }
        let model = predicting::<B>(task, run, stage, device, &mut unreported)?;
        let whole = decoder(task);
        let decoder = among.map_or(whole, |among| whole.among(&among.trie));
        Ok(recommended(&model, &decoder, writer(task), query.history))
    }
}
