//! The map of regimes: chosen, read cell by cell, and led back to its runs.

use egui::Theme;
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use peso_workbench::run::RunMethod;

use crate::fixture::{self, Come};
use crate::world::{World, choose, click, has_part, load, until, until_label, until_part};
use eframe::egui;

/// Two options of generated data, swept for every experiment.
const SWEEP: &str = r#"seeds: [1, 2], sweeps: [(experiment: "*", options: [
    (option: "dataset.interactions.1", values: [3.2, 8]), (option: "dataset.drift", values: [0.2, 0.6])])],"#;

/// Finished runs of PESO and the single LoRA at all four points but PESO's last, which lacks a seed.
fn runs(file: &std::path::Path) {
    let project = load(file);
    let runs = project.runs_dir(None);
    for variant in project.variants().unwrap() {
        let peso = variant.of == "PESO";
        if !(peso || variant.of == "Single evolving LoRA") || variant.is_on_data_of(&project) {
            continue;
        }
        for seed in [1, 2] {
            let name = &variant.experiment.name;
            let last = name.ends_with("(dataset.interactions.1 8, dataset.drift 0.6)");
            if peso && last && seed == 2 {
                continue;
            }
            let level = 0.060 + if peso { 0.012 } else { 0.0 } + 0.004 * seed as f64;
            let method = RunMethod::Learned(variant.experiment.method.clone());
            let config = fixture::config(&variant.project(&project), name, method, seed);
            fixture::write(&runs, &config, level, Come::FINISHED);
        }
    }
}

#[test]
fn a_map_says_where_a_method_pays_and_a_cell_leads_to_its_runs() {
    let world = World::new();
    let file = world.demo_with("seeds: [42],", SWEEP);
    runs(&file);
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, "Synthetic drift demo");
    click(&mut window, "Regimes");
    until_part(&mut window, "Gain in NDCG@10 of PESO over Single evolving LoRA (2 seeds)");
    until_part(&mut window, "Later interactions 3.2, Drift 0.2: +0.0");
    let missing = "Later interactions 8, Drift 0.6: not enough runs; PESO has 1 finished seed, Single evolving LoRA has 2 finished seeds";
    assert!(has_part(&window, missing));
    choose(&mut window, "Down", "Later interactions");
    until_part(&mut window, "Drift 0.6, Later interactions 8: not enough runs");
    window.get_by_label_contains("Drift 0.2, Later interactions 8: ").click();
    window.step();
    let filter = r#"experiment="PESO (dataset.interactions.1 8, dataset.drift 0.2)" or experiment="Single evolving LoRA (dataset.interactions.1 8, dataset.drift 0.2)""#;
    until(&mut window, "the runs of the cell", |window| {
        let field = window.query_by_role_and_label(Role::TextInput, "Filter runs");
        field.is_some_and(|field| field.value().as_deref() == Some(filter))
    });
}

#[test]
fn without_two_swept_options_the_view_says_how_to_get_a_map() {
    let world = World::new();
    let mut window = world.window(Theme::Dark, Some(&world.demo()));
    until_label(&mut window, "Synthetic drift demo");
    click(&mut window, "Regimes");
    until_label(&mut window, "No map yet");
    assert!(has_part(&window, "choose Every experiment"));
}
