// What the first layer looks at: pictures of the units with the largest values.

const UNITS = 8;
const first = model.layers[0];
const look = LOOK[first.kind](first);
const unitWeights = Array.from({ length: look.count }, (_, unit) => look.weights(unit));
const peaks = unitWeights.map((all) => all.reduce((a, b) => Math.max(a, Math.abs(b)), 0));
const peak = peaks.reduce((a, b) => Math.max(a, b), 0);

/** The numbers of the largest values, the largest first. */
function largestOf(values, count) {
  return [...values.keys()].sort((a, b) => values[b] - values[a]).slice(0, count);
}

const tiles = largestOf(peaks, UNITS).sort((a, b) => a - b).map((unit) => {
  const item = create("li", element("units"));
  const canvas = create("canvas", item);
  canvas.setAttribute("role", "img");
  const name = create("b", item);
  const bar = create("i", create("span", item, "", "track"));
  return { unit, item, context: canvas.getContext("2d"), name, bar, pull: create("span", item), picture: null };
});
element("units").classList.toggle("few", tiles.length < 4);

const veil = document.createElement("canvas").getContext("2d");
[veil.canvas.width, veil.canvas.height] = [model.width, model.height];

/** Fades whatever has no ink, so that what a unit reacts to stays bright. */
function paintVeil(image) {
  const neutral = rgb("--neutral");
  const picture = veil.createImageData(model.width, model.height);
  image.forEach((byte, i) => picture.data.set([...neutral, 0.6 * (255 - byte)], 4 * i));
  veil.putImageData(picture, 0, 0);
}

/** A unit's weights where their pixels are; the deepest colour is its largest, but at least a quarter of all units'. */
function weightPicture(unit) {
  const [raise, lower, neutral] = ["--raise", "--lower", "--neutral"].map(rgb);
  const deepest = Math.max(peaks[unit], peak / 4) || 1;
  const picture = new ImageData(look.width, look.height);
  unitWeights[unit].forEach((weight, i) => {
    const end = weight < 0 ? lower : raise;
    const depth = Math.abs(weight) / deepest;
    picture.data.set([0, 1, 2].map((c) => neutral[c] + depth * (end[c] - neutral[c])).concat(255), 4 * i);
  });
  return picture;
}

/** A filter's responses where they are; the deepest colour is the highest. */
function responsePicture(responses) {
  const [raise, neutral] = ["--raise", "--neutral"].map(rgb);
  const highest = responses.reduce((a, b) => Math.max(a, b), 0) || 1;
  const picture = new ImageData(look.columns, responses.length / look.columns);
  responses.forEach((value, i) => {
    picture.data.set([0, 1, 2].map((c) => neutral[c] + (value / highest) * (raise[c] - neutral[c])).concat(255), 4 * i);
  });
  return picture;
}

function paint(context, picture) {
  const canvas = context.canvas;
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    [canvas.width, canvas.height] = [picture.width, picture.height];
  }
  context.putImageData(picture, 0, 0);
}

/** The class that a unit's value adds most to: by the next layer where that is the last, else -1. */
function favoured(unit, value) {
  if (model.layers.length === 1) {
    return look.count === 1 ? (value > 0 ? 0 : 1) : -1;
  }
  const last = model.layers[1];
  if (model.layers.length > 2 || last.inputs !== look.count) {
    return -1;
  }
  const column = last.weights + unit;
  return predicted(Float64Array.from({ length: last.outputs }, (_, output) => weights[column + output * last.inputs]));
}

function nameOf(unit) {
  if (model.layers.length > 1) {
    return (look.responses ? "filter " : "unit ") + (unit + 1);
  }
  return look.count > 1 ? model.classes[unit] : "output";
}

/** A unit that was shown before keeps its place. */
function choose(strengths) {
  const strongest = largestOf(strengths, tiles.length);
  const added = strongest.filter((unit) => tiles.every((tile) => tile.unit !== unit));
  tiles.filter((tile) => !strongest.includes(tile.unit)).forEach((tile) => {
    tile.unit = added.shift();
    tile.picture = null;
  });
}

/** For the outputs of the first layer and the image, or for null before anything is drawn. */
function showUnits(values, image) {
  const strengths = values ? look.strengths(values) : new Float32Array(look.count);
  if (values) {
    choose(strengths);
    paintVeil(image);
  }
  const most = strengths.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
  for (const tile of tiles) {
    const value = strengths[tile.unit];
    tile.picture = tile.picture || weightPicture(tile.unit);
    paint(tile.context, values && look.responses ? responsePicture(look.responses(values, tile.unit)) : tile.picture);
    if (values && look.isOfImage) {
      tile.context.drawImage(veil.canvas, 0, 0);
    }
    tile.name.textContent = nameOf(tile.unit);
    tile.context.canvas.setAttribute("aria-label", `weights of ${nameOf(tile.unit)}`);
    tile.item.classList.toggle("rest", values !== null && value === 0);
    tile.bar.style.width = (100 * Math.abs(value)) / most + "%";
    const best = value === 0 ? -1 : favoured(tile.unit, value);
    tile.pull.textContent = best >= 0 ? `for ${model.classes[best]}` : values && value === 0 ? "at rest" : "\u00a0";
  }
}

/** After a change of colours. */
function forgetPictures() {
  tiles.forEach((tile) => (tile.picture = null));
}
