//! Edits of a project's base model, prompt and training.

use std::path::{Path, PathBuf};

use super::changed;
use crate::model::{BaseModel, Compact, LoraShape, Prompt, Start};
use crate::project::{Project, Training};

/// The model at a typed path, by what the path looks like: a `.gguf` file, or else a Hugging Face folder.
pub(crate) fn model_at(path: PathBuf) -> BaseModel {
    let is_file = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf"));
    if is_file { BaseModel::Gguf(path) } else { BaseModel::HuggingFace(path) }
}

/// The project with another base model. One below the project's folder is named from there, so that both move together.
pub(crate) fn with_base(project: &Project, base: BaseModel) -> Project {
    changed(project, |project| {
        project.base_model = match base {
            BaseModel::Compact(shape) => {
                // It reads no text.
                project.prompt = Prompt::Compact;
                BaseModel::Compact(shape)
            }
            BaseModel::HuggingFace(path) => BaseModel::HuggingFace(near(&project.folder, path)),
            BaseModel::Gguf(path) => BaseModel::Gguf(near(&project.folder, path)),
        };
    })
}

/// The project with another shape of its compact model.
pub(crate) fn with_shape(project: &Project, shape: Compact) -> Project {
    changed(project, |project| project.base_model = BaseModel::Compact(shape))
}

/// The project with another prompt.
pub(crate) fn with_prompt(project: &Project, prompt: Prompt) -> Project {
    changed(project, |project| project.prompt = prompt)
}

/// The project with another start of stage 1; an adapter below its folder is named from there.
pub(crate) fn with_start(project: &Project, start: Start) -> Project {
    changed(project, |project| project.training.start = start.map(|path| near(&project.folder, path.to_path_buf())))
}

/// The project with another rank and α.
pub(crate) fn with_lora(project: &Project, lora: LoraShape) -> Project {
    changed(project, |project| project.training.lora = lora)
}

/// The project with other training settings.
pub(crate) fn with_training(project: &Project, training: Training) -> Project {
    changed(project, |project| project.training = training)
}

fn near(folder: &Path, path: PathBuf) -> PathBuf {
    match path.strip_prefix(folder) {
        Ok(below) if !below.as_os_str().is_empty() => below.to_path_buf(),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::check;
    use crate::project::file::DEMO;

    fn project() -> Project {
        Project::parse(DEMO, Path::new("/projects/demo/project.ron")).unwrap()
    }

    #[test]
    fn a_typed_path_is_a_file_or_a_folder_by_its_ending() {
        assert_eq!(model_at("a/b.GGUF".into()), BaseModel::Gguf("a/b.GGUF".into()));
        assert_eq!(model_at("a/b.v2".into()), BaseModel::HuggingFace("a/b.v2".into()));
    }

    #[test]
    fn what_lies_below_the_project_is_named_from_there() {
        let project = project();
        let there = with_base(&project, BaseModel::Gguf("/projects/demo/models/a.gguf".into()));
        assert_eq!(there.base_model, BaseModel::Gguf("models/a.gguf".into()));
        let elsewhere = with_base(&project, BaseModel::HuggingFace("/models/a".into()));
        assert_eq!(elsewhere.base_model, BaseModel::HuggingFace("/models/a".into()));
        let start = with_start(&project, Start::Adapter("/projects/demo/adapter".into())).training.start;
        assert_eq!(start, Start::Adapter("adapter".into()));
    }

    #[test]
    fn a_compact_model_has_the_compact_prompt() {
        let project = with_prompt(&with_base(&project(), BaseModel::HuggingFace("a".into())), Prompt::Instruction);
        let compact = with_base(&project, BaseModel::Compact(Compact::default()));
        assert_eq!(compact.prompt, Prompt::Compact);
        check::check(&compact).unwrap();
    }
}
