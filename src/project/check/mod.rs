//! What a project must fulfil beyond having the right fields.

pub(super) mod synthetic;
pub(super) mod training;
mod values;

use std::collections::HashMap;

use self::synthetic::synthetic;
use self::training::training;
use self::values::{Checked, above_zero, bad, dropout, positive, require};
use super::decision::Gates;
use super::{Evaluation, Experiment, Project, SemanticIds, evaluation_fields, settings, slug};
use crate::data::{DatasetSource, Prepare, Protocol};
use crate::id_training::{TrainedOn, VectorSource};
use crate::method::{Lambda, MethodOptions};
use crate::model::{BaseModel, Compact, Prompt, Storage};

/// Finds the first field whose value cannot be used.
pub fn check(project: &Project) -> Checked {
    require(!project.name.trim().is_empty(), "name", "the name is empty", "give the project a name")?;
    match &project.dataset {
        DatasetSource::Synthetic(options) => synthetic(options)?,
        files => {
            let named = files.path().is_some_and(|path| !path.as_os_str().is_empty());
            require(named, "dataset.path", "the path is empty", "name the dataset's file or folder")?;
            prepare(files.prepare())?;
        }
    }
    match &project.base_model {
        BaseModel::Compact(shape) => compact(shape)?,
        BaseModel::HuggingFace(path) | BaseModel::Gguf(path) => {
            require(
                !path.as_os_str().is_empty(),
                "base_model",
                "the path is empty",
                "name the model's folder or file",
            )?;
        }
    }
    prompt(project)?;
    match &project.semantic_ids {
        SemanticIds::Dataset => {}
        SemanticIds::Index(path) => {
            require(!path.as_os_str().is_empty(), "semantic_ids", "the path is empty", "name the index file")?;
        }
        SemanticIds::Train(options) => {
            options
                .check()
                .map_err(|(field, problem, advice)| bad(&format!("semantic_ids.{field}"), problem, advice))?;
            require(
                !options.source.needs_base_model() || project.base_model.path().is_some(),
                "semantic_ids.source",
                "a compact base model reads no text",
                "name a model that does, `Text(model: \"…\")`; the sources `Words(256)` and `Vectors(\"….npy\")` need none",
            )?;
            let of_interactions =
                options.source.each().into_iter().any(|source| matches!(source, VectorSource::Interactions(_)));
            let next_block = project.evaluation.protocol.each().contains(&Protocol::NextBlock);
            require(
                options.on == TrainedOn::All || !of_interactions || !next_block,
                "semantic_ids.on",
                "`Interactions` places an item of a later stage by that stage's interactions, which the next-block protocol tests",
                "measure `protocol: SameBlock` alone, or make ids of texts or vectors, `source: Words(256)`",
            )?;
        }
    }
    let stored = project.training.storage == Storage::Float32 || project.base_model.path().is_some();
    require(
        stored,
        "training.storage",
        "a compact base model is trained itself, in float32",
        "use Float32, or a HuggingFace or Gguf base model",
    )?;
    training(&project.training)?;
    evaluation(&project.evaluation)?;
    experiments(project)?;
    super::sweep::expand(project)?;
    seeds("seeds", &project.seeds)?;
    own_seeds(project)?;
    let gates = project.decision.as_ref().map_or(Ok(()), Gates::check);
    gates.map_err(|(field, problem, advice)| bad(&format!("decision.{field}"), &problem, advice))
}

fn own_seeds(project: &Project) -> Checked {
    for (index, experiment) in project.experiments.iter().enumerate() {
        let field = format!("experiments[{index}].seeds");
        experiment.seeds.as_ref().map_or(Ok(()), |own| seeds(&field, own))?;
        // What is made of other runs takes them seed by seed.
        let names = experiment.method.method().parts();
        for part in project.experiments.iter().filter(|part| names.contains(&part.name.as_str())) {
            let lacking = project.seeds_of(experiment).iter().find(|seed| !project.seeds_of(part).contains(seed));
            if let Some(seed) = lacking {
                let problem =
                    format!("\"{}\" joins runs of \"{}\", which has no seed {seed}", experiment.name, part.name);
                return Err(bad(&field, problem, "give both the same seeds"));
            }
        }
    }
    Ok(())
}

fn prompt(project: &Project) -> Checked {
    let parts = project.prompt.parts();
    let problem = parts.as_ref().err().map_or("", String::as_str);
    require(parts.is_ok(), "prompt", problem, "write one {history} where the items stand")?;
    let readable = project.prompt == Prompt::Compact || project.base_model.path().is_some();
    require(
        readable,
        "prompt",
        "a compact base model reads no text",
        "use the prompt Compact, or a HuggingFace or Gguf base model",
    )
}

fn prepare(options: Option<&Prepare>) -> Checked {
    let checked = options.map_or(Ok(()), Prepare::check);
    checked.map_err(|error| bad(&format!("dataset.prepare.{}", error.field), &error.problem, &error.advice))
}

/// Finds the first field of a compact model's shape whose value cannot be used.
pub fn compact(shape: &Compact) -> Checked {
    let field = |name: &str| format!("base_model.{name}");
    for (name, value) in [
        ("width", shape.width),
        ("layers", shape.layers),
        ("heads", shape.heads),
        ("kv_heads", shape.kv_heads),
        ("ffn", shape.ffn),
        ("epochs", shape.epochs),
    ] {
        positive(&field(name), value)?;
    }
    above_zero(&field("learning_rate"), shape.learning_rate)?;
    dropout(&field("dropout"), shape.dropout)?;
    let (width, heads, kv_heads) = (shape.width, shape.heads, shape.kv_heads);
    require(
        width.is_multiple_of(heads),
        &field("width"),
        &format!("a width of {width} cannot be divided among {heads} heads"),
        "it must be a multiple of `heads`",
    )?;
    require(
        (width / heads).is_multiple_of(2),
        &field("heads"),
        &format!("{heads} heads of a width of {width} have the odd dimension {}", width / heads),
        "rotary positions need an even `width / heads`",
    )?;
    require(
        heads.is_multiple_of(kv_heads),
        &field("kv_heads"),
        &format!("{heads} heads cannot share {kv_heads} key-value heads"),
        "`heads` must be a multiple of it",
    )
}

fn evaluation(evaluation: &Evaluation) -> Checked {
    settings::check("evaluation", evaluation, &[evaluation_fields::FIELDS])?;
    require(!evaluation.k.is_empty(), "evaluation.k", "the list is empty", "for example `[1, 5, 10, 20]`")?;
    require(evaluation.k.iter().all(|&k| k > 0), "evaluation.k", "a cut-off is 0", "cut-offs start at 1")?;
    require(
        evaluation.k.iter().any(|&k| k <= evaluation.beams),
        "evaluation.k",
        &format!("every cut-off is above the {} beams", evaluation.beams),
        "a list of recommendations has as many items as there are beams",
    )
}

fn experiments(project: &Project) -> Checked {
    let none = "the list is empty";
    require(!project.experiments.is_empty(), "experiments", none, "for example `[(name: \"PESO\", method: Peso())]`")?;
    let mut taken: HashMap<String, &str> = HashMap::new();
    let mut folders: HashMap<String, Vec<&Experiment>> = HashMap::new();
    for (index, experiment) in project.experiments.iter().enumerate() {
        let name = experiment.name.as_str();
        let field = format!("experiments[{index}].name");
        require(!name.trim().is_empty(), &field, "the name is empty", "every experiment has a name of its own")?;
        // Long names that begin alike have folders apart by the hash of their settings, unless these are the same.
        let same_folder = folders.entry(slug::slug(name)).or_default();
        let alike = same_folder.iter().find(|other| other.method == experiment.method).map(|other| other.name.as_str());
        same_folder.push(experiment);
        if let Some(other) = taken.insert(slug::whole(name), name).or(alike) {
            let problem = if other == name {
                format!("two experiments are called \"{name}\"")
            } else {
                format!("\"{other}\" and \"{name}\" would share the names of their run folders")
            };
            return Err(bad(&field, problem, "every experiment has a name of its own"));
        }
        method(&format!("experiments[{index}].method"), &experiment.method)?;
        let filtered = experiment.method.method().proximal().is_some_and(|peso| peso.lambda == Lambda::Kalman);
        require(
            !(filtered && project.training.release_compatible),
            &format!("experiments[{index}].method.lambda"),
            "a filter gives each group a λ, and training as released has one for all",
            "choose another rule or a number, or set `training.release_compatible` to false",
        )?;
    }
    Ok(())
}

fn method(field: &str, method: &MethodOptions) -> Checked {
    method.check().map_err(|error| error.within(field))
}

fn seeds(field: &str, seeds: &[u64]) -> Checked {
    require(!seeds.is_empty(), field, "the list is empty", "for example `[42]`")?;
    let mut sorted = seeds.to_vec();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(bad(field, format!("seed {} is given twice", pair[0]), "a seed stands once in the list")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::project::file::DEMO;

    #[test]
    fn long_names_that_begin_alike_are_two_experiments_unless_their_settings_are_one() {
        let mut project = Project::parse(DEMO, Path::new("demo/project.ron")).unwrap();
        let name = |number: u32| format!("Softmax-KL of groups against the latest state, lambda {number}");
        for (number, experiment) in (1..).zip(&mut project.experiments) {
            experiment.name = name(number);
        }
        assert_eq!(check(&project), Ok(()));
        project.experiments[1].method = project.experiments[0].method.clone();
        let same = check(&project).unwrap_err();
        assert!(same.problem.contains("would share the names of their run folders"), "{}", same.problem);
        project.experiments.truncate(2);
        project.experiments[1].method = MethodOptions::Frozen;
        project.experiments[1].name = name(1).to_uppercase();
        assert!(check(&project).is_err(), "names that differ in their case alone are one to whoever types them");
    }

    #[test]
    fn seeds_of_an_experiment_are_checked_like_those_of_the_project_and_shared_with_a_hybrid() {
        let experiments = "experiments: [(name: \"Both\", method: Hybrid(adapter: \"PESO\", towers: \"Towers\")), (name: \"Towers\", method: TwoTower()),";
        let text = DEMO.replace("experiments: [", experiments);
        let mut project = Project::parse(&text, Path::new("demo/project.ron")).unwrap();
        let peso = project.experiments.iter().position(|experiment| experiment.name == "PESO").unwrap();
        project.experiments[peso].seeds = Some(vec![42, 42]);
        let twice = check(&project).unwrap_err();
        assert_eq!(
            (twice.field, twice.problem),
            (format!("experiments[{peso}].seeds"), "seed 42 is given twice".to_owned())
        );
        project.experiments[peso].seeds = Some(vec![42, 7]);
        check(&project).unwrap();
        project.experiments[peso].seeds = Some(vec![7]);
        let lacking = check(&project).unwrap_err();
        assert_eq!(lacking.problem, "\"Both\" joins runs of \"PESO\", which has no seed 42");
    }
}
