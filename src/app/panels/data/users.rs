//! The users of the dataset to choose from, and what the chosen one did.

use std::sync::Arc;

use eframe::egui;
use egui::{Button, RichText, ScrollArea, TextEdit, Ui, Vec2};

use super::LoadedData;
use super::history::History;
use crate::app::panels::selection::Selection;
use crate::app::panels::{Context, choice};
use crate::app::queries::data::ProjectData;
use crate::app::theme::{self, space};
use crate::app::widgets::{self, counted, grouped};
use crate::data::UserGroup;

/// What users are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Order {
    #[default]
    Active,
    Id,
    First,
}

impl Order {
    const ALL: [Self; 3] = [Self::Active, Self::Id, Self::First];

    const fn text(self) -> &'static str {
        match self {
            Self::Active => "Most active",
            Self::Id => "Id",
            Self::First => "First stage",
        }
    }
}

/// State of the tab.
#[derive(Debug, Default)]
pub(super) struct UsersTab {
    order: Order,
    search: String,
    /// Only users of this group in this stage (index from 0), or in any.
    group: Option<UserGroup>,
    stage: Option<usize>,
    listed: Option<(Key, Vec<u32>)>,
    history: History,
}

/// All that the listed users depend on.
#[derive(Debug, Clone, PartialEq)]
struct Key {
    query: Arc<ProjectData>,
    order: Order,
    search: String,
    group: Option<UserGroup>,
    stage: Option<usize>,
}

const LIST_WIDTH: f32 = 270.0;

impl UsersTab {
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>, loaded: &LoadedData<'_>) {
        self.refresh(context.selection, loaded);
        ui.horizontal_wrapped(|ui| self.choices(ui, loaded));
        let size = ui.available_size();
        ui.horizontal_top(|ui| {
            ui.allocate_ui(Vec2::new(LIST_WIDTH, size.y), |ui| {
                ui.set_width(LIST_WIDTH);
                ui.vertical(|ui| self.list(ui, context.selection, loaded));
            });
            ui.vertical(|ui| {
                ui.set_min_size(Vec2::new(size.x - LIST_WIDTH - space::M, size.y));
                match self.selected(context.selection) {
                    Some(user) => {
                        theme::panel_frame(ui).show(ui, |ui| self.history.ui(ui, context, loaded, user));
                    }
                    None => {
                        let advice = "Take the search and the filter away to see all users";
                        widgets::empty_state(ui, "No user fits", advice);
                    }
                }
            });
        });
    }

    /// The chosen user; the first of the list until one is chosen.
    fn selected(&self, selection: &Selection) -> Option<u32> {
        let first = || self.listed.as_ref().and_then(|(_, users)| users.first()).copied();
        selection.user.or_else(first)
    }

    fn choices(&mut self, ui: &mut Ui, loaded: &LoadedData<'_>) {
        let field = TextEdit::singleline(&mut self.search).hint_text("Search users").desired_width(LIST_WIDTH - 20.0);
        let field = ui.add(field);
        widgets::named(ui, &field, "Search users");
        choice(ui, ("Order", 110.0), &mut self.order, &Order::ALL.map(|order| (order, order.text().to_owned())));
        let groups = UserGroup::ALL.map(|group| (Some(group), group.label().to_owned()));
        let groups: Vec<_> = [(None, "All users".to_owned())].into_iter().chain(groups).collect();
        choice(ui, ("Show", 100.0), &mut self.group, &groups);
        let stages = loaded.report.dataset.stages.len();
        let stage = |stage: usize| (Some(stage), format!("Stage {}", stage + 1));
        let any: Vec<_> = [(None, "Any stage".to_owned())].into_iter().chain((0..stages).map(stage)).collect();
        choice(ui, ("In", 100.0), &mut self.stage, &any);
        let listed = self.listed.as_ref().map_or(0, |(_, users)| users.len());
        let all = counted(loaded.report.dataset.users.len(), "user");
        widgets::remark(ui, format!("{} of {all}", grouped(listed as u64)));
    }

    fn list(&self, ui: &mut Ui, selection: &mut Selection, loaded: &LoadedData<'_>) {
        let report = loaded.report;
        let selected = self.selected(selection);
        let Some((_, users)) = &self.listed else { return };
        let height = ui.text_style_height(&egui::TextStyle::Button) + 2.0 * ui.spacing().button_padding.y;
        let mut chosen = None;
        ScrollArea::vertical().id_salt("histories").auto_shrink(false).show_rows(
            ui,
            height,
            users.len(),
            |ui, rows| {
                for &user in &users[rows] {
                    let name = &report.dataset.users[user as usize];
                    let total = report.browse.users.total(user);
                    let right = RichText::new(grouped(total)).small().color(theme::tokens(ui).muted);
                    let on = selected == Some(user);
                    let button = Button::selectable(on, name).right_text(right).truncate();
                    let response = ui.add_sized([ui.available_width(), height], button);
                    response.widget_info(|| {
                        egui::WidgetInfo::selected(egui::Role::Button, true, on, format!("User {name}"))
                    });
                    if response
                        .on_hover_text(format!("{} in all stages", counted(total as usize, "interaction")))
                        .clicked()
                    {
                        chosen = Some(user);
                    }
                }
            },
        );
        selection.user = chosen.or(selection.user);
    }

    /// Lists the users anew where something that the list depends on has changed.
    fn refresh(&mut self, selection: &mut Selection, loaded: &LoadedData<'_>) {
        let key = Key {
            query: Arc::clone(&loaded.query),
            order: self.order,
            search: self.search.trim().to_lowercase(),
            group: self.group,
            stage: self.stage.filter(|&stage| stage < loaded.report.dataset.stages.len()),
        };
        if let Some((made, _)) = &self.listed {
            if *made == key {
                return;
            }
            if made.query != key.query {
                // Places of users mean others in other data.
                selection.user = None;
            }
        }
        let (browse, names) = (&loaded.report.browse, &loaded.report.dataset.users);
        let stages = || key.stage.map_or(0..browse.users.stages(), |stage| stage..stage + 1);
        let fits = |user: u32| {
            let of_group = |stage: usize| {
                let group = browse.users.group(user, stage);
                group.is_some() && (key.group.is_none() || group == key.group)
            };
            let found = key.search.is_empty() || names[user as usize].to_lowercase().contains(&key.search);
            found && ((key.group, key.stage) == (None, None) || stages().any(of_group))
        };
        let mut users: Vec<u32> = browse.by_activity.iter().copied().filter(|&user| fits(user)).collect();
        match key.order {
            Order::Active => {}
            // Numbers by value: 9 before 10.
            Order::Id => users.sort_by_cached_key(|&user| {
                let name = &names[user as usize];
                (name.parse::<u64>().unwrap_or(u64::MAX), name.clone())
            }),
            Order::First => users.sort_by_key(|&user| browse.users.first(user)),
        }
        // A user whose whole id was typed comes first.
        users.sort_by_key(|&user| !names[user as usize].eq_ignore_ascii_case(&key.search));
        self.listed = Some((key, users));
    }
}
