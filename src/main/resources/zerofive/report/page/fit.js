// How a drawing becomes an image as MNIST has them: docs/fitting.md of zerofive, for ink on even paper, step by step.
// Ink is [height, width], 0 where the paper is bare and 255 where it is covered.

/** Covers the pixels of a line from (ax, ay) to (bx, by) with round ends; an edge covers a pixel in part. */
function drawLine(ink, width, height, ax, ay, bx, by, radius) {
  const left = Math.max(0, Math.floor(Math.min(ax, bx) - radius - 1));
  const right = Math.min(width, Math.ceil(Math.max(ax, bx) + radius + 1));
  const top = Math.max(0, Math.floor(Math.min(ay, by) - radius - 1));
  const bottom = Math.min(height, Math.ceil(Math.max(ay, by) + radius + 1));
  const [dx, dy] = [bx - ax, by - ay];
  const length2 = dx * dx + dy * dy || 1;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const [px, py] = [x + 0.5 - ax, y + 0.5 - ay];
      const along = Math.max(0, Math.min(1, (px * dx + py * dy) / length2));
      const covered = 255 * (radius + 0.5 - Math.hypot(px - along * dx, py - along * dy));
      if (covered > ink[y * width + x]) {
        ink[y * width + x] = Math.min(255, covered);
      }
    }
  }
}

/** Filtered by 1 2 1 in both directions, borders repeated; rounded as that of bright paper with dark ink is. */
function smoothed(ink, width, height) {
  const smooth = new Uint8Array(ink.length);
  for (let y = 0; y < height; y++) {
    const [above, here, below] = [Math.max(0, y - 1), y, Math.min(height - 1, y + 1)].map((row) => row * width);
    const column = (x) => ink[above + x] + 2 * ink[here + x] + ink[below + x];
    let [left, middle] = [column(0), column(0)];
    for (let x = 0; x < width; x++) {
      const right = column(Math.min(width - 1, x + 1));
      smooth[here + x] = (left + 2 * middle + right + 7) >> 4;
      left = middle;
      middle = right;
    }
  }
  return smooth;
}

/** How often each value occurs, at the places that are accepted. */
function histogram(values, isAccepted) {
  const counts = new Int32Array(256);
  for (let at = 0; at < values.length; at++) {
    if (isAccepted(at)) {
      counts[values[at]]++;
    }
  }
  return counts;
}

/** The n-th smallest value, from 1. */
function rank(counts, n) {
  let value = 0;
  for (let seen = counts[0]; seen < n; seen += counts[value]) {
    value++;
  }
  return value;
}

/** The mean of the values from `min` on, rounded down. */
function meanFrom(counts, min) {
  let [count, sum] = [0, 0];
  for (let value = min; value < counts.length; value++) {
    count += counts[value];
    sum += value * counts[value];
  }
  return Math.floor(sum / count);
}

const longerSide = (box) => Math.max(box.right - box.left, box.bottom - box.top);

/** How far apart two boxes are, along the axis where that is more. */
function gap(a, b) {
  return Math.max(0, a.left - b.right, b.left - a.right, a.top - b.bottom, b.top - a.bottom);
}

/** Connected pixels above the threshold, diagonals too: label, box and mass of each; `labels` receives the labels. */
function components(smooth, width, height, threshold, labels) {
  const all = [];
  const stack = new Int32Array(smooth.length);
  for (let start = 0; start < smooth.length; start++) {
    if (smooth[start] <= threshold || labels[start] > 0) {
      continue;
    }
    const part = { label: all.length + 1, left: width, top: height, right: 0, bottom: 0, pixels: 0, mass: 0 };
    let depth = 0;
    stack[depth++] = start;
    labels[start] = part.label;
    while (depth > 0) {
      const at = stack[--depth];
      const x = at % width;
      const y = (at - x) / width;
      part.pixels++;
      part.mass += smooth[at];
      part.left = Math.min(part.left, x);
      part.right = Math.max(part.right, x + 1);
      part.top = Math.min(part.top, y);
      part.bottom = Math.max(part.bottom, y + 1);
      for (let row = Math.max(0, y - 1); row < Math.min(height, y + 2); row++) {
        for (let column = Math.max(0, x - 1); column < Math.min(width, x + 2); column++) {
          const next = row * width + column;
          if (labels[next] === 0 && smooth[next] > threshold) {
            labels[next] = part.label;
            stack[depth++] = next;
          }
        }
      }
    }
    part.strength = Math.floor(part.mass / part.pixels);
    all.push(part);
  }
  return all;
}

/** The largest component and those near it that are not much smaller. */
function figure(all, width, height) {
  const longest = Math.max(1, Math.floor(Math.min(width, height) / 20));
  const candidates = all.filter((part) => longerSide(part) > longest);
  if (candidates.length === 0) {
    return [];
  }
  const main = candidates.reduce((a, b) => (b.mass * b.strength > a.mass * a.strength ? b : a));
  return candidates.filter(
    (part) =>
      part.mass * 20 >= main.mass && part.strength * 2 >= main.strength && gap(part, main) * 4 <= longerSide(main));
}

/** The drawing as an image [newHeight, newWidth] of bytes that is fitted as MNIST was made; null without ink. */
function fit(ink, width, height, newWidth, newHeight) {
  const smooth = smoothed(ink, width, height);
  const level = rank(histogram(smooth, () => true), smooth.length - Math.floor(smooth.length / 1000));
  const threshold = Math.max(40, Math.floor((level * 30) / 100));
  const labels = new Int32Array(smooth.length);
  const parts = level > 40 ? figure(components(smooth, width, height, threshold, labels), width, height) : [];
  if (parts.length === 0) {
    return null;
  }
  const isPart = new Uint8Array(smooth.length + 1);
  parts.forEach((part) => (isPart[part.label] = 1));
  const strengths = histogram(smooth, (at) => isPart[labels[at]] === 1);
  const full = meanFrom(strengths, meanFrom(strengths, 0));
  const floor = Math.floor(threshold / 3);
  const box = parts.reduce((a, b) => ({
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  }));
  const isNear = (x, y) => {
    for (let row = Math.max(0, y - 1); row < Math.min(height, y + 2); row++) {
      for (let column = Math.max(0, x - 1); column < Math.min(width, x + 2); column++) {
        if (isPart[labels[row * width + column]] === 1) {
          return true;
        }
      }
    }
    return false;
  };
  const value = (x, y) => {
    const strength = isNear(x, y) ? ink[y * width + x] : 0;
    return Math.max(0, Math.min(1, (strength - floor) / (full - floor)));
  };
  return centred(scaled(box, value, width, height, newWidth, newHeight), newWidth, newHeight);
}

/** The box at its new size, its longer side 20/28 of the image's shorter one: rows of values up to 255. */
function scaled(box, value, width, height, newWidth, newHeight) {
  const boxWidth = box.right - box.left;
  const boxHeight = box.bottom - box.top;
  const scale = Math.max(1, Math.round((Math.min(newWidth, newHeight) * 20) / 28)) / longerSide(box);
  const columns = Math.max(1, Math.round(boxWidth * scale));
  const rows = Math.max(1, Math.round(boxHeight * scale));
  const mean = (left, right, top, bottom) => {
    let sum = 0;
    for (let y = Math.floor(top); y < Math.min(bottom, height); y++) {
      const high = Math.min(y + 1, bottom) - Math.max(y, top);
      for (let x = Math.floor(left); x < Math.min(right, width); x++) {
        sum += high * (Math.min(x + 1, right) - Math.max(x, left)) * value(x, y);
      }
    }
    return sum / ((right - left) * (bottom - top));
  };
  const small = [];
  for (let row = 0; row < rows; row++) {
    const top = box.top + (boxHeight * row) / rows;
    const bottom = box.top + (boxHeight * (row + 1)) / rows;
    small.push(new Float64Array(columns).map((_, column) =>
      mean(box.left + (boxWidth * column) / columns, box.left + (boxWidth * (column + 1)) / columns, top, bottom)));
  }
  const largest = Math.max(...small.map((row) => Math.max(...row)), Number.MIN_VALUE);
  return small.map((row) => row.map((mean) => mean * (255 / largest)));
}

/** The centre of mass in the middle of the image, by whole pixels, as far as the box stays inside. */
function centred(small, newWidth, newHeight) {
  let [mass, massX, massY] = [0, 0, 0];
  small.forEach((row, y) =>
    row.forEach((value, x) => {
      mass += value;
      massX += value * x;
      massY += value * y;
    }));
  const offset = (frame, size, centre) => Math.max(0, Math.min(frame - size, Math.round(frame / 2 - centre)));
  const left = offset(newWidth, small[0].length, massX / mass);
  const top = offset(newHeight, small.length, massY / mass);
  const image = new Uint8Array(newWidth * newHeight);
  small.forEach((row, y) =>
    row.forEach((value, x) => (image[(top + y) * newWidth + left + x] = Math.round(value))));
  return image;
}
