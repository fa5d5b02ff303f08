//! Groups of users: what each line is on them, how the gap between them moves, and which of them gain.

use eframe::egui;
use egui::{ComboBox, TextEdit, Ui};

use super::ComparePanel;
use super::lines::Lines;
use crate::app::action::Action;
use crate::app::panels::{Context, chart_card};
use crate::app::queries::Answer;
use crate::app::queries::comparison::Groups;
use crate::app::queries::data::ProjectData;
use crate::app::widgets;
use crate::data::Grouping;
use crate::figures::fairness::{FairnessChart, FairnessReport, styled};
use crate::figures::{Provenance as _, fairness};
use crate::plot::Chart;

/// What users are grouped by, and what is shown of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Choice {
    pub(super) grouping: Grouping,
    pub(super) chart: FairnessChart,
    /// What is typed for a table and its column; none where no table is asked for.
    table: Option<String>,
    /// What is wrong with it.
    problem: Option<String>,
}

impl ComparePanel {
    /// The query for the lines by group; none where there is no line.
    pub(super) fn groups_query(&self, context: &Context<'_>, lines: &Lines) -> Option<Groups> {
        Some(Groups {
            compared: lines.compared(context.session, &self.metric),
            baseline: self.baseline_place(lines)?,
            data: ProjectData::of(context.session.project()),
            grouping: self.fairness.grouping.clone(),
        })
    }

    pub(super) fn fairness_chart(&self, context: &Context<'_>, lines: &Lines, synthetic: bool) -> Chart {
        let empty = |words: String| Chart::empty(fairness::SPEC.title, words).synthetic(synthetic);
        let Some(query) = self.groups_query(context, lines) else {
            return empty("No run is finished yet: groups are those of finished runs".to_owned());
        };
        match context.session.queries.get(&query) {
            Answer::Pending | Answer::Cancelled => empty("The tests of all lines are being put into groups".to_owned()),
            Answer::Failed(error) => empty(widgets::sentence(&error.to_string())),
            Answer::Ready(fairness) => {
                let shown = self.places(lines).map(|place| (lines.all[place].name.as_str(), lines.styles[place]));
                let shown = styled(fairness, shown);
                let (metric, grouping) = (self.metric.as_str(), &self.fairness.grouping);
                let report = FairnessReport { fairness, lines: &shown, metric, grouping };
                report.chart(self.fairness.chart, synthetic)
            }
        }
    }

    /// Draws the chart, and asks for it where it is not there.
    pub(super) fn fairness(&self, ui: &mut Ui, context: &mut Context<'_>, lines: &Lines, chart: &Chart) {
        let Some(query) = self.groups_query(context, lines) else {
            chart_card(ui, chart, "fairness chart");
            return;
        };
        if matches!(context.session.queries.get(&query), Answer::Pending | Answer::Cancelled) {
            ui.horizontal(|ui| {
                ui.spinner();
                widgets::remark(ui, "Putting the tests of all lines into groups");
            });
            context.actions.push(Action::compute(&query));
        }
        chart_card(ui, chart, "fairness chart");
    }

    pub(super) fn fairness_options(&mut self, ui: &mut Ui, lines: &Lines) {
        let choice = &mut self.fairness;
        let label = ui.label("Groups by");
        let now = if choice.table.is_some() { "a column" } else { choice.grouping.label() };
        let combo = ComboBox::from_id_salt("groups").selected_text(now).width(110.0).show_ui(ui, |ui| {
            for (name, grouping) in Grouping::KNOWN {
                let chosen = choice.table.is_none() && choice.grouping == grouping;
                if ui.selectable_label(chosen, name).on_hover_text(grouping.explanation()).clicked() {
                    (choice.grouping, choice.table, choice.problem) = (grouping, None, None);
                }
            }
            let tooltip = "A column of a table that has a row a user: gender, country, age";
            if ui.selectable_label(choice.table.is_some(), "a column").on_hover_text(tooltip).clicked() {
                choice.table.get_or_insert_default();
            }
        });
        combo.response.labelled_by(label.id);
        if let Some(text) = &mut choice.table {
            let field = TextEdit::singleline(text).hint_text("users.csv:gender").desired_width(150.0);
            let field = ui
                .add(field)
                .on_hover_text("A file in the project's folder and the name of its column; Enter takes it");
            if field.lost_focus() && !text.trim().is_empty() {
                match text.trim().parse() {
                    Ok(grouping) => (choice.grouping, choice.problem) = (grouping, None),
                    Err(problem) => choice.problem = Some(problem),
                }
            }
        }
        let label = ui.label("Show");
        let combo = ComboBox::from_id_salt("fairness").selected_text(choice.chart.label()).width(110.0);
        let combo = combo.show_ui(ui, |ui| {
            for chart in FairnessChart::ALL {
                ui.selectable_value(&mut choice.chart, chart, chart.label());
            }
        });
        combo.response.labelled_by(label.id);
        if let Some(problem) = &choice.problem {
            widgets::remark(ui, widgets::sentence(problem));
        }
        if choice.chart != FairnessChart::Groups {
            self.baseline_combo(ui, lines);
        }
        self.one_a_method(ui, lines);
    }
}
