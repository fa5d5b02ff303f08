//! Where this program keeps what belongs to the user and to no project: settings, and what it says of itself.

use std::ffi::OsString;
use std::path::PathBuf;

/// The program's folder in each of the system's.
const NAME: &str = "peso-workbench";

/// The user's home folder, where the system names one.
pub fn home() -> Option<PathBuf> {
    home_of(&|name| std::env::var_os(name))
}

/// The folder of settings, where the system names one.
pub fn configuration() -> Option<PathBuf> {
    folder(&|name| std::env::var_os(name), ["APPDATA", "XDG_CONFIG_HOME"], ".config")
}

/// The folder of what outlives the program and is no setting, such as crash reports, where the system names one.
pub fn state() -> Option<PathBuf> {
    folder(&|name| std::env::var_os(name), ["LOCALAPPDATA", "XDG_STATE_HOME"], ".local/state")
}

/// A variable of the environment.
type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

fn home_of(variables: Variables<'_>) -> Option<PathBuf> {
    absolute(variables, if cfg!(windows) { "USERPROFILE" } else { "HOME" })
}

/// As the XDG Base Directory Specification has it, and the customs of Windows and macOS. A relative path is none.
fn folder(variables: Variables<'_>, [windows, xdg]: [&str; 2], below_home: &str) -> Option<PathBuf> {
    let base = if cfg!(windows) {
        absolute(variables, windows)
    } else if cfg!(target_os = "macos") {
        home_of(variables).map(|home| home.join("Library/Application Support"))
    } else {
        absolute(variables, xdg).or_else(|| home_of(variables).map(|home| home.join(below_home)))
    };
    base.map(|base| base.join(NAME))
}

fn absolute(variables: Variables<'_>, name: &str) -> Option<PathBuf> {
    variables(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn folders_are_those_of_the_specification() {
        let state = |set: &[(&str, &str)]| {
            let of = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
            folder(&of, ["LOCALAPPDATA", "XDG_STATE_HOME"], ".local/state")
        };
        assert_eq!(state(&[]), None);
        assert_eq!(state(&[("HOME", "/h")]), Some("/h/.local/state/peso-workbench".into()));
        assert_eq!(state(&[("HOME", "/h"), ("XDG_STATE_HOME", "/s")]), Some("/s/peso-workbench".into()));
        let relative = [("HOME", "/h"), ("XDG_STATE_HOME", "s")];
        assert_eq!(state(&relative), Some("/h/.local/state/peso-workbench".into()), "a relative path is to be ignored");
    }
}
