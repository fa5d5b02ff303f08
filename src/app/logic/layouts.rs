//! Where views stand: arrangements, layouts with names, and where the window itself was.

use crate::app::dock::{self, Layout, NamedLayout, NamedLayoutAction};
use crate::app::widgets::{Notice, Weight};
use crate::app::workbench::Workbench;

impl Workbench {
    pub(super) fn rearrange(&mut self, change: impl FnOnce(&mut Layout)) {
        if let Some(session) = &mut self.session {
            change(&mut session.layout);
        }
    }

    pub(super) fn named_layout(&mut self, action: NamedLayoutAction) {
        match action {
            NamedLayoutAction::Use(name) => {
                let named = self.settings.layouts.iter().find(|named| named.name == name);
                if let Some(layout) = named.and_then(|named| dock::from_text(&named.layout)) {
                    self.rearrange(|now| *now = layout);
                } else {
                    self.notices.push(Notice::new(Weight::Problem, format!("The layout {name} cannot be read")));
                }
            }
            NamedLayoutAction::Save(name) => {
                if let Some(layout) = self.session.as_ref().and_then(|session| dock::to_text(&session.layout)) {
                    self.settings.layouts.retain(|named| named.name != name);
                    self.notices.push(Notice::new(Weight::Done, format!("The layout is kept as {name}")));
                    self.settings.layouts.push(NamedLayout { name, layout });
                    self.save_settings();
                }
            }
            NamedLayoutAction::Delete(name) => {
                self.settings.layouts.retain(|named| named.name != name);
                self.save_settings();
            }
        }
    }
}
