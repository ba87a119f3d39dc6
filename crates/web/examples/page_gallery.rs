//! Writes every page in every state and language to a folder, with what it loads, so that anyone
//! can look: `cargo run -p tenantry-web --example page_gallery -- FOLDER`, then open `index.html`.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tenantry_core::Locale;
use tenantry_web::{assets, pages};

fn main() -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = std::env::args_os()
        .nth(1)
        .ok_or("name a folder to write to")?
        .into();
    for path in assets::paths() {
        write_asset(&folder, path)?;
    }
    let mut index = String::from("<!doctype html><meta charset=\"utf-8\"><title>Gallery</title>");
    for locale in Locale::ALL {
        let _ = write!(index, "<h1>{locale}</h1><ul>");
        for (name, html) in pages::samples::render_all(*locale)? {
            for part in html.split("/assets/").skip(1) {
                if let Some(path) = part
                    .split(['?', '"'])
                    .next()
                    .filter(|path| path.starts_with("tenant/"))
                {
                    write_asset(&folder, path)?;
                }
            }
            // Opened as a file, a page has no host that an absolute path could begin at.
            let file = format!("{name}.{locale}.html");
            fs::write(folder.join(&file), html.replace("\"/assets/", "\"assets/"))?;
            let _ = write!(index, "<li><a href=\"{file}\">{name}</a></li>");
        }
        index.push_str("</ul>");
    }
    fs::write(folder.join("index.html"), index)?;
    Ok(())
}

/// What stands for every tenant's logo.
const LOGO: &[u8] = include_bytes!("page_gallery/logo.png");

fn write_asset(folder: &Path, path: &str) -> Result<(), Box<dyn Error>> {
    let body = if path.starts_with("tenant/logo/") {
        LOGO.into()
    } else {
        let asset = assets::find(path).ok_or_else(|| format!("no asset {path}"))?;
        asset.body
    };
    let file = folder.join("assets").join(path);
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(file, body)?;
    Ok(())
}
