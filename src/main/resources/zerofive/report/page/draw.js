// The page: what is drawn or shown, and what the model says of it, at most once in a frame.

/** Of the grid's shorter side: about what MNIST's pens have. */
const PEN = 0.04;

const largest = Math.max(model.width, model.height);
/** Of the grid that ink is computed on: five times as fine as the image, as long as that takes milliseconds only. */
const longest = Math.max(140, Math.min(280, 5 * largest));
const width = Math.max(1, Math.round((longest * model.width) / largest));
const height = Math.max(1, Math.round((longest * model.height) / largest));
const radius = Math.max(1, PEN * Math.min(width, height));
const ink = new Uint8Array(width * height);
const imageSize = model.width * model.height;
const samplePixels = bytesOf("pixels");
const percent = (p) => (p >= 0.9995 && p < 1 ? "> 99.9 %" : (100 * p).toFixed(1) + " %");

/** Strokes, each a list of points on the grid, or the number of a sample. Replaced, never changed, for undo. */
let shown = { strokes: [], sample: null };
const past = [];
/** The stroke that grows under a pointer or the keyboard's pen. */
let stroke = null;
let pointer = null;
/** The keyboard's pen, once it was used. */
let pen = null;
let isDue = false;

// What was drawn.

function change(next) {
  past.push(shown);
  shown = next;
  stroke = null;
  redraw();
}

function redraw() {
  ink.fill(0);
  shown.strokes.forEach((points) => points.forEach((_, i) => cover(points, i)));
  due();
}

const middle = (a, b) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });

/** The ink that a stroke's point i adds: a curve around the point before, from middle to middle, and a line to i. */
function cover(points, i) {
  const line = (a, b) => drawLine(ink, width, height, a.x, a.y, b.x, b.y, radius);
  const end = points[i];
  const turn = points[Math.max(0, i - 1)];
  const from = middle(points[Math.max(0, i - 2)], turn);
  const to = middle(turn, end);
  let last = from;
  for (let t = 0.25; t <= 1; t += 0.25) {
    const [a, b, c] = [(1 - t) * (1 - t), 2 * t * (1 - t), t * t];
    const next = { x: a * from.x + b * turn.x + c * to.x, y: a * from.y + b * turn.y + c * to.y };
    line(last, next);
    last = next;
  }
  line(to, end);
}

function begin(point) {
  const started = [point];
  change({ strokes: [...shown.strokes, started], sample: null });
  stroke = started;
}

function extend(point) {
  stroke.push(point);
  cover(stroke, stroke.length - 1);
  due();
}

function undo() {
  if (past.length > 0) {
    shown = past.pop();
    stroke = null;
    redraw();
    speakLater();
  }
}

function clear() {
  if (shown.sample !== null || shown.strokes.length > 0) {
    change({ strokes: [], sample: null });
    speakLater();
  }
}

function showSample(number) {
  change({ strokes: [], sample: number });
  speakLater();
}

// What is seen.

function due() {
  if (!isDue) {
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      update();
    });
  }
}

function update() {
  const { sample, strokes } = shown;
  const image =
    sample === null
      ? fit(ink, width, height, model.width, model.height)
      : samplePixels.subarray(sample * imageSize, (sample + 1) * imageSize);
  paintImage(image || new Uint8Array(imageSize));
  paintPaper();
  const values = image && outputs(image);
  say(values && values[values.length - 1], strokes.length > 0);
  showTruth(values && values[values.length - 1]);
  showUnits(values && values[0], image);
  element("hint").hidden = sample !== null || strokes.length > 0;
  element("undo").disabled = past.length === 0;
  element("clear").disabled = sample === null && strokes.length === 0;
  press(sample);
}

const seen = element("seen").getContext("2d");
[seen.canvas.width, seen.canvas.height] = [model.width, model.height];

function paintGrey(context, image) {
  const picture = context.createImageData(model.width, model.height);
  image.forEach((byte, i) => picture.data.set([byte, byte, byte, 255], 4 * i));
  context.putImageData(picture, 0, 0);
}

function paintImage(image) {
  paintGrey(seen, image);
}

const paper = element("paper").getContext("2d");

/** As fine as the screen; the model receives what the grid has. */
function resize() {
  const pixels = Math.max(1, Math.round(paper.canvas.clientWidth * devicePixelRatio));
  [paper.canvas.width, paper.canvas.height] = [pixels, Math.max(1, Math.round((pixels * height) / width))];
  due();
}

function paintPaper() {
  const canvas = paper.canvas;
  paper.setTransform(canvas.width / width, 0, 0, canvas.height / height, 0, 0);
  paper.clearRect(0, 0, width, height);
  if (shown.sample !== null) {
    paper.imageSmoothingEnabled = false;
    paper.drawImage(seen.canvas, 0, 0, width, height);
  }
  paper.lineWidth = 2 * radius;
  paper.lineCap = paper.lineJoin = "round";
  paper.strokeStyle = colour("--ink");
  for (const points of shown.strokes) {
    paper.beginPath();
    paper.moveTo(points[0].x, points[0].y);
    points.forEach((point, i) => {
      const turn = points[Math.max(0, i - 1)];
      const to = middle(turn, point);
      paper.quadraticCurveTo(turn.x, turn.y, to.x, to.y);
    });
    paper.lineTo(points[points.length - 1].x, points[points.length - 1].y);
    paper.stroke();
  }
  if (pen && document.activeElement === canvas) {
    paper.lineWidth = 1.2;
    paper.strokeStyle = colour("--accent");
    paper.setLineDash(stroke ? [] : [2, 1.5]);
    paper.beginPath();
    paper.arc(pen.x, pen.y, radius + 2, 0, 2 * Math.PI);
    paper.stroke();
    paper.setLineDash([]);
  }
}

const bars = model.classes.map((name) => {
  const item = create("li", element("bars"));
  create("span", item, name, "name").title = name;
  const track = create("span", item, "", "track");
  track.setAttribute("aria-hidden", "true");
  return { item, bar: create("i", track), number: create("span", item, "", "number") };
});

function say(logits, isTried) {
  const all = logits && probabilities(logits);
  const best = logits ? predicted(logits) : -1;
  bars.forEach(({ item, bar, number }, i) => {
    item.classList.toggle("best", i === best);
    item.title = all ? all[i] : "";
    bar.style.width = all ? 100 * all[i] + "%" : "0";
    number.textContent = all ? percent(all[i]) : "";
  });
  const verdict = best < 0 ? "?" : model.classes[best];
  element("verdict").textContent = verdict;
  element("verdict").className = verdict.length > 2 ? "word" : "";
  element("certainty").textContent =
    best < 0 ? (isTried ? "There is too little ink to see." : "Nothing is drawn yet.") : percent(all[best]) + " sure";
  element("result").classList.toggle("empty", best < 0);
}

function showTruth(logits) {
  const truth = element("truth");
  truth.hidden = shown.sample === null;
  if (shown.sample !== null) {
    const sample = model.samples[shown.sample];
    const isRight = sample.target === predicted(logits);
    truth.className = isRight ? "right" : "wrong";
    truth.textContent =
      `Validation image no. ${sample.number.toLocaleString("en-US")}: true class ${model.classes[sample.target]}, ` +
      `predicted ${model.classes[predicted(logits)]}: ${isRight ? "right." : "wrong."}`;
  }
}

/** For a screen reader, once the hand rests. */
let speaking = 0;
function speakLater() {
  clearTimeout(speaking);
  speaking = setTimeout(() => {
    const [verdict, truth] = [element("verdict"), element("truth")];
    const certainty = element("certainty").textContent;
    speak(verdict.textContent === "?" ? certainty : `${verdict.textContent}, ${certainty}. ${truth.textContent}`);
  }, 400);
}

function speak(text) {
  element("spoken").textContent = text;
}

// Hands.

function pointOf(event) {
  const box = paper.canvas.getBoundingClientRect();
  return { x: ((event.clientX - box.left) / box.width) * width, y: ((event.clientY - box.top) / box.height) * height };
}

paper.canvas.addEventListener("pointerdown", (event) => {
  if (pointer === null && event.button === 0) {
    pointer = event.pointerId;
    paper.canvas.setPointerCapture(pointer);
    pen = null;
    begin(pointOf(event));
  }
});
paper.canvas.addEventListener("pointermove", (event) => {
  if (event.pointerId === pointer && stroke) {
    const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    (events.length > 0 ? events : [event]).forEach((one) => extend(pointOf(one)));
  }
});
for (const end of ["pointerup", "pointercancel"]) {
  paper.canvas.addEventListener(end, (event) => {
    if (event.pointerId === pointer) {
      pointer = null;
      stroke = null;
      speakLater();
    }
  });
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

paper.canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || pointer !== null) {
    return;
  }
  if (STEPS[event.key]) {
    pen = pen || { x: width / 2, y: height / 2 };
    const step = Math.min(width, height) / 28;
    const [x, y] = STEPS[event.key].map((sign) => sign * step);
    pen = { x: Math.max(0, Math.min(width, pen.x + x)), y: Math.max(0, Math.min(height, pen.y + y)) };
    if (stroke) {
      extend(pen);
      speakLater();
    }
  } else if (event.key === " ") {
    pen = pen || { x: width / 2, y: height / 2 };
    if (stroke) {
      stroke = null;
      speakLater();
    } else {
      begin(pen);
      speak("Pen down");
    }
  } else if (event.key === "Delete" || event.key === "Backspace") {
    clear();
  } else {
    return;
  }
  event.preventDefault();
  due();
});
paper.canvas.addEventListener("blur", due);
document.addEventListener("keydown", (event) => {
  if (event.key === "z" && (event.ctrlKey || event.metaKey) && pointer === null) {
    event.preventDefault();
    undo();
  }
});
element("undo").addEventListener("click", undo);
element("clear").addEventListener("click", clear);

// Samples.

/** Marks the sample that is shown among the others. */
let pressed = null;
function press(sample) {
  const buttons = element("gallery").children;
  if (sample !== pressed) {
    [pressed, sample].filter((i) => i !== null).forEach((i) =>
      buttons[i].firstChild.setAttribute("aria-pressed", i === sample));
    pressed = sample;
  }
}

/** A permutation, so that the button shows each once before any comes again. */
function shuffled(count) {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

if (model.samples.length > 0) {
  const order = shuffled(model.samples.length);
  element("sample").hidden = element("samples").hidden = false;
  element("sample").addEventListener("click", () => {
    order.push(order.shift());
    showSample(order[0]);
  });
  model.samples.forEach((sample, i) => {
    const image = samplePixels.subarray(i * imageSize, (i + 1) * imageSize);
    const named = predicted(outputs(image).pop());
    const isRight = named === sample.target;
    const item = create("li", element("gallery"), "", isRight ? "" : "wrong");
    const button = create("button", item);
    button.type = "button";
    button.setAttribute("aria-pressed", false);
    const picture = create("canvas", button).getContext("2d");
    [picture.canvas.width, picture.canvas.height] = [model.width, model.height];
    paintGrey(picture, image);
    if (!isRight) {
      create("span", button, "wrong", "verdict");
    }
    create("b", create("span", button, "true "), model.classes[sample.target]);
    create("b", create("span", button, "predicted "), model.classes[named]);
    button.addEventListener("click", () => {
      showSample(i);
      element("drawing").scrollIntoView({ block: "nearest" });
    });
  });
}

new ResizeObserver(resize).observe(paper.canvas);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  Object.keys(colours).forEach((name) => delete colours[name]);
  forgetPictures();
  due();
});
paper.canvas.style.aspectRatio = `${width} / ${height}`;
update();
