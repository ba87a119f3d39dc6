//! A strict reader of the HTML that our templates write: what it does not understand fails the
//! test. Browsers forgive more.

use std::collections::HashMap;

/// Elements without an end.
const VOID: &[&str] = &["br", "hr", "img", "input", "link", "meta", "wbr"];

/// An element with its attributes and the text directly and indirectly in it.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: HashMap<String, String>,
    pub(super) text: String,
    /// Places of the elements around it, outermost first.
    pub(super) around: Vec<usize>,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

/// Reads a page into its elements, in the order of their beginnings.
pub(super) fn read(html: &str) -> Result<Vec<Element>, String> {
    let mut rest = html.strip_prefix("<!doctype html>").ok_or("no doctype")?;
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    while let Some(start) = rest.find('<') {
        let (text, tag) = rest.split_at(start);
        add_text(&mut elements, &open, text)?;
        let end = tag_end(tag).ok_or_else(|| format!("a tag without an end: {tag:.60}"))?;
        let inside = &tag[1..end];
        rest = &tag[end + 1..];
        if let Some(name) = inside.strip_prefix('/') {
            let last = open
                .pop()
                .ok_or_else(|| format!("</{name}> closes nothing"))?;
            if elements[last].name != name {
                return Err(format!("</{name}> closes <{}>", elements[last].name));
            }
            continue;
        }
        let (inside, closed) = inside
            .strip_suffix('/')
            .map_or((inside, false), |i| (i, true));
        let element = element(inside, open.clone())?;
        let is_void = closed || VOID.contains(&element.name.as_str());
        elements.push(element);
        if !is_void {
            open.push(elements.len() - 1);
        }
    }
    if !rest.trim().is_empty() || !open.is_empty() {
        return Err(format!(
            "left open at the end: {} elements, {rest:?}",
            open.len()
        ));
    }
    Ok(elements)
}

/// Where a tag ends: the first `>` outside quotes.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quoted = false;
    tag.char_indices().find_map(|(place, c)| {
        quoted ^= c == '"';
        (c == '>' && !quoted).then_some(place)
    })
}

fn add_text(elements: &mut [Element], open: &[usize], text: &str) -> Result<(), String> {
    for entity in text.split('&').skip(1) {
        let name = entity.split(';').next().unwrap_or_default();
        if !name.starts_with('#') && !["amp", "lt", "gt", "quot"].contains(&name) {
            return Err(format!("a bare & before {entity:.20}"));
        }
    }
    if text.contains('>') {
        return Err(format!("a bare > in {text:.60}"));
    }
    for place in open {
        elements[*place].text.push_str(text);
    }
    Ok(())
}

fn element(inside: &str, around: Vec<usize>) -> Result<Element, String> {
    let (name, mut rest) = inside
        .split_once(char::is_whitespace)
        .unwrap_or((inside, ""));
    if name.is_empty()
        || !name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    {
        return Err(format!("no name of an element: {inside:.60}"));
    }
    let mut attributes = HashMap::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            break;
        }
        let end = rest
            .find(|c: char| c.is_whitespace() || c == '=')
            .unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let value = if let Some(quoted) = after.strip_prefix("=\"") {
            let (value, after) = quoted.split_once('"').ok_or("a value without an end")?;
            rest = after;
            value
        } else if after.starts_with('=') {
            return Err(format!("a value without quotes: {rest:.60}"));
        } else {
            rest = after;
            ""
        };
        if value.contains('<') || key.contains(['"', '\'', '<']) {
            return Err(format!("markup in an attribute: {key}={value:.60}"));
        }
        if attributes
            .insert(key.to_owned(), value.to_owned())
            .is_some()
        {
            return Err(format!("{key} twice in <{name}>"));
        }
    }
    Ok(Element {
        name: name.to_owned(),
        attributes,
        text: String::new(),
        around,
    })
}

#[test]
fn refuses_what_it_should() {
    assert!(read("<!doctype html><p>a &amp; b<br><i class=\"x\">c</i></p>").is_ok());
    for bad in [
        "<p></p>",
        "<!doctype html><p>",
        "<!doctype html><p></b>",
        "<!doctype html><p>a & b</p>",
        "<!doctype html><p a=b></p>",
        "<!doctype html><p a=\"<\"></p>",
        "<!doctype html><p a=\"1\" a=\"2\"></p>",
        "<!doctype html></p>",
        "<!doctype html><p>a > b</p>",
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
}
