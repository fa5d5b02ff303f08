//! The model view: a base model is chosen and understood before anything is loaded, its prompt written, its memory judged.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::backend::Flex;
use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::Queryable as _;
use egui_kittest::{Harness, SnapshotResults};
use peso_workbench::app::Workbench;
use peso_workbench::app::dialogs::desktop::FileDialog;
use peso_workbench::model::weights::{initialise_compact, write_model};
use peso_workbench::model::{BaseModel, Compact, Llama, LlamaConfig, LoraShape, Prompt, Start};
use peso_workbench::project::Project;
use peso_workbench::run::observer::{Observer as _, Phase, Progress};
use peso_workbench::run::{RunFolder, Status};

use crate::fixture;
use crate::snapshot::{Part, picture, text};
use crate::use_cases::Dropped;
use crate::world::{World, click, has, has_part, load, until, until_label, until_part};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

/// Writes a tiny Llama with the tokenizer of the fixtures beside a project, as Hugging Face has such folders.
fn tiny_llama(project: &Path) -> PathBuf {
    let folder = project.with_file_name("tiny-llama");
    let shape = Compact { width: 32, layers: 2, heads: 4, kv_heads: 2, ffn: 64, ..Compact::default() };
    let config = LlamaConfig { bos: Some(520), eos: Some(521), context: Some(512), ..LlamaConfig::compact(&shape) };
    let mut model: Llama<Flex> = initialise_compact(&config, 522, 7, &Default::default());
    write_model(&folder, &mut model, config.hugging_face(522)).unwrap();
    std::fs::copy(Path::new(FIXTURES).join("models/tokenizer.json"), folder.join("tokenizer.json")).unwrap();
    let readme = "---\nlicense: apache-2.0\n---\n# A tiny Llama\n";
    std::fs::write(folder.join("README.md"), readme).unwrap();
    folder
}

/// The demo with the tiny Llama as its base model.
fn with_llama(world: &World) -> PathBuf {
    let file = world.demo();
    tiny_llama(&file);
    let mut project = load(&file);
    project.base_model = BaseModel::HuggingFace("tiny-llama".into());
    project.save(&file).unwrap();
    file
}

/// Saves the project and reads it back.
fn saved(window: &mut Harness<'_, Workbench>, file: &Path) -> Project {
    window.key_press_modifiers(Modifiers::COMMAND, Key::S);
    until(window, "a saved project", |window| !has(window, "Unsaved changes"));
    load(file)
}

fn open(world: &World, file: &Path, theme: Theme) -> Harness<'static, Workbench> {
    let mut window = world.window(theme, Some(file));
    window.set_size([1600.0, 1200.0].into());
    until_label(&mut window, "Synthetic drift demo");
    click(&mut window, "Model");
    window
}

#[test]
fn a_folder_is_picked_and_its_card_and_tokens_are_shown() {
    let world = World::new();
    let file = world.demo();
    let folder = tiny_llama(&file);
    let mut window = open(&world, &file, Theme::Light);
    until_label(&mut window, "Shape of the compact model");
    until_part(&mut window, "A compact model has no text tokenizer");

    world.dialogs.answers.lock().unwrap().push(folder.clone());
    click(&mut window, "Hugging Face folder…");
    until_label(&mut window, "Hugging Face");
    let near = file.parent().unwrap().to_path_buf();
    assert_eq!(*world.dialogs.asked.lock().unwrap(), [FileDialog::ModelFolder { near }]);
    for label in
        ["rotary, θ = 10\u{2009}000", "4 of width 8, 2 key-value heads", "522 tokens", "512 tokens", "apache-2.0"]
    {
        until_label(&mut window, label);
    }
    until_part(&mut window, "BPE with 522 tokens, 2 of them special");
    // The text's codes are tokens of the dataset.
    until_part(&mut window, "3 of them added for the dataset");
    until_label(&mut window, "<b_2>");
    until_part(&mut window, "The base model's own are tokens 0 to 521");
    let typed = window.get_by_role_and_label(Role::MultilineTextInput, "Text to cut into tokens");
    typed.focus();
    typed.type_text("!");
    until_part(&mut window, "added for the dataset");
    until_label(&mut window, "!");

    assert_eq!(saved(&mut window, &file).base_model, BaseModel::HuggingFace("tiny-llama".into()));
    // The change is one step of undo.
    click(&mut window, "Edit");
    window.query_all_by_label_contains("Undo").next().unwrap().click();
    until_label(&mut window, "Shape of the compact model");
}

#[test]
fn a_model_that_cannot_be_used_says_where_and_is_read_again_when_it_is_mended() {
    let world = World::new();
    let file = with_llama(&world);
    let weights = file.with_file_name("tiny-llama").join("model.safetensors");
    let whole = std::fs::read(&weights).unwrap();
    std::fs::write(&weights, &whole[..whole.len() / 2]).unwrap();
    let mut window = open(&world, &file, Theme::Dark);
    until_label(&mut window, "⚠ The base model cannot be used");
    until_label(&mut window, "model.safetensors");
    std::fs::write(&weights, &whole).unwrap();
    click(&mut window, "Try again");
    until_label(&mut window, "4 of width 8, 2 key-value heads");

    // A typed path to nothing is a change like any other, and says what is missing.
    let field = window.get_by_role_and_label(Role::TextInput, "Path of the base model");
    field.focus();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.step();
    window.get_by_role_and_label(Role::TextInput, "Path of the base model").type_text("nowhere.gguf");
    window.step();
    click(&mut window, "Use");
    until_label(&mut window, "There is no such file or folder");
    until_part(&mut window, "Expected a Hugging Face folder with config.json");
}

#[test]
fn a_prompt_is_written_and_tried_on_the_data() {
    let world = World::new();
    let file = with_llama(&world);
    let mut window = open(&world, &file, Theme::Light);
    click(&mut window, "Prompt");
    until_part(&mut window, "training targets share their user's prefix exactly");
    click(&mut window, "Custom");
    let editor = || "Text of the prompt";
    until(&mut window, "the editor", |window| {
        window.query_by_role_and_label(Role::MultilineTextInput, editor()).is_some()
    });
    until_part(&mut window, "{history} stands once");
    window.get_by_role_and_label(Role::MultilineTextInput, editor()).focus();
    window.step();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.step();
    window.get_by_role_and_label(Role::MultilineTextInput, editor()).type_text("After what");
    until_part(&mut window, "the project keeps the text before");
    window.get_by_role_and_label(Role::MultilineTextInput, editor()).type_text(" {history} comes:");
    until_part(&mut window, "{history} stands once");
    click(&mut window, "As text");
    until(&mut window, "the example", |window| has_part(window, "After what <a_") && has_part(window, " comes:<a_"));
    let project = saved(&mut window, &file);
    assert_eq!(project.prompt, Prompt::Custom("After what {history} comes:".to_owned()));

    // A compact model reads no text, so its prompt comes with it.
    click(&mut window, "Base model");
    click(&mut window, "Compact");
    until_label(&mut window, "Shape of the compact model");
    assert_eq!(saved(&mut window, &file).prompt, Prompt::Compact);
}

#[test]
fn settings_change_the_memory_at_once_and_a_peft_adapter_is_taken() {
    let world = World::new();
    let file = with_llama(&world);
    let mut project = load(&file);
    // So that training takes more than the search after it.
    project.training.batch = 512;
    (project.evaluation.beams, project.evaluation.k) = (1, vec![1]);
    project.save(&file).unwrap();
    let mut window = open(&world, &file, Theme::Dark);
    // Everything is on screen, so that it can be clicked.
    window.set_size([1600.0, 2400.0].into());
    click(&mut window, "Training and memory");
    until_part(&mut window, "✓ It fits: ");
    let bar = |window: &Harness<'_, Workbench>| {
        let bar = window.query_all_by_label_contains("Memory on CPU").next();
        bar.and_then(|node| egui_kittest::kittest::NodeT::accesskit_node(&node).label()).unwrap()
    };
    let before = bar(&window);
    assert!(before.contains("Weights") && before.contains("Activations"), "{before}");
    window.get_by_role_and_label(Role::CheckBox, "Checkpointing").click();
    until(&mut window, "other memory", |window| bar(window) != before);
    assert!(saved(&mut window, &file).training.checkpointing);

    let adapter = Path::new(FIXTURES).join("peft/untied_tokens");
    world.dialogs.answers.lock().unwrap().push(adapter.clone());
    click(&mut window, "PEFT adapter…");
    until_label(&mut window, "Modules");
    until_label(&mut window, "Token rows");
    assert_eq!(saved(&mut window, &file).training.start, Start::Adapter(adapter.clone()));
    click(&mut window, "Take it as stage 1's");
    assert_eq!(saved(&mut window, &file).training.start, Start::Stage1(adapter));
    click(&mut window, "Take its rank and α");
    until(&mut window, "no warning", |window| !has(window, "Take its rank and α"));
    assert_ne!(saved(&mut window, &file).training.lora, LoraShape::default());
    click(&mut window, "Clear");
    until_part(&mut window, "An adapter's folder can also be dropped");
    assert_eq!(saved(&mut window, &file).training.start, Start::Fresh);
}

#[test]
fn what_does_not_fit_comes_with_changes_to_apply() {
    let world = World::new();
    let file = world.demo();
    let mut project = load(&file);
    let shape = Compact { width: 4096, layers: 1000, heads: 32, kv_heads: 8, ffn: 16_384, ..Compact::default() };
    project.base_model = BaseModel::Compact(shape);
    project.save(&file).unwrap();
    let mut window = open(&world, &file, Theme::Light);
    click(&mut window, "Training and memory");
    until_part(&mut window, "⚠ It does not fit: ");
    until_part(&mut window, "a smaller base model, or a shorter");
    // What is applied is the change with those above it.
    click(&mut window, "Apply training.accumulation: 4");
    until(&mut window, "gentler advice", |window| !has(window, "Apply training.accumulation: 4"));
    click(&mut window, "Apply training.checkpointing: true");
    let training = saved(&mut window, &file).training;
    assert_eq!((training.batch, training.checkpointing), (32, true));
    assert_eq!(training.accumulation, 32, "the batch stays, one target at a time");
}

#[test]
fn the_reading_of_a_base_model_is_shown_while_a_run_is_at_it() {
    let world = World::new();
    let file = with_llama(&world);
    let project = load(&file);
    let run = RunFolder::create(&project.runs_dir(None), &fixture::planned(&project, 0)).unwrap();
    let _lock = run.lock().unwrap();
    let mut writer = run.writer().unwrap();
    writer.set_status(Status::Running, None).unwrap();
    let of_training = fixture::progress(1, 15);
    let reading = Progress { phase: Phase::Load, rate: 2.31e8, eta_seconds: None, ..of_training };
    writer.progress(&reading).unwrap();
    writer.flush().unwrap();
    let mut window = world.window(Theme::Dark, Some(&file));
    until_part(&mut window, "PESO, seed 42: Stage 1 of 5, reading the base model");
    until_part(&mut window, "231 million parameters/s");
}

#[test]
fn a_model_that_is_dropped_becomes_the_base_model() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, "Synthetic drift demo");
    let model = Path::new(FIXTURES).join("models/qwen3.gguf");
    window.input_mut().dropped_files = vec![Arc::new(Dropped(model.clone()))];
    window.step();
    window.input_mut().dropped_files.clear();
    until_label(&mut window, "GGUF 3");
    until_label(&mut window, "queries and keys, head by head");
    until_part(&mut window, "No tokenizer, so the prompt can only be Compact");
    assert_eq!(saved(&mut window, &file).base_model, BaseModel::Gguf(model));

    // Without dialogs the window says so, and a path can be typed.
    click(&mut window, "GGUF file…");
    until_part(&mut window, "No file dialog appeared");
}

#[test]
fn model_view() {
    let mut pictures = SnapshotResults::new();
    let world = World::new();
    let file = with_llama(&world);
    let mut window = open(&world, &file, Theme::Dark);
    until_part(&mut window, "3 of them added for the dataset");
    until(&mut window, "the hash", |window| !has(window, "Reading the weights"));
    until_label(&mut window, "Trained");
    picture(&mut pictures, &mut window, "model", Theme::Dark, Part::View);
    text(&mut window, "model", Part::View);
}
