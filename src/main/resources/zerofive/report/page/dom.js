// What the other scripts need of the page's elements.

const element = (id) => document.getElementById(id);

/** The bytes that an element holds as base64. */
function bytesOf(id) {
  const text = atob(element(id).textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = text.charCodeAt(i);
  }
  return bytes;
}

function create(name, parent, text, className) {
  const child = document.createElement(name);
  child.textContent = text || "";
  child.className = className || "";
  parent.append(child);
  return child;
}

/** Colours of the style sheet, by name; read again where the scheme changes. */
const colours = {};
function colour(name) {
  colours[name] = colours[name] || getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return colours[name];
}
const rgb = (name) => colour(name).split(" ").map(Number);
