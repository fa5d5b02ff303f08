//! Reviews and businesses of the Yelp dataset.

use std::path::PathBuf;

use super::plan::{ItemLayout, ItemRoles, Layout, Roles};
use super::sample::Look;

/// How a file of reviews is written; none where it is not one.
pub fn layout(look: &Look) -> Option<Layout> {
    let object = look.object()?;
    let review = ["user_id", "business_id", "stars", "date"].iter().all(|key| object.contains_key(*key));
    let roles = Roles { user: "user_id", item: "business_id", time: Some("date"), rating: Some("stars") };
    review.then_some(Layout::Objects(roles))
}

/// How a file of businesses is written; none where it is not one.
pub fn items(look: &Look) -> Option<ItemLayout> {
    let object = look.object()?;
    let business = object.contains_key("business_id") && object.contains_key("name");
    let roles = ItemRoles { id: "business_id", title: Some("name"), description: None, categories: Some("categories") };
    business.then_some(ItemLayout::Objects(roles))
}

/// The file of businesses beside a file of reviews.
pub fn items_beside(look: &Look) -> Option<PathBuf> {
    let name = look.path.file_name()?.to_str()?.replace("review", "business");
    let path = look.path.with_file_name(name);
    (path != look.path && path.is_file()).then_some(path)
}
