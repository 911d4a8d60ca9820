// What a page must be for everybody who reads it; gives a list of what it is not. The
// rules are those that axe has, as far as these pages could break them.
(async () => {
  const wrong = [];
  const must = (ok, what, at) => { if (!ok) wrong.push(what + (at ? ": " + at.outerHTML.slice(0, 120) : "")); };
  const all = (selector) => [...document.querySelectorAll(selector)];
  must(document.documentElement.lang, "no language");
  must(document.title.trim(), "no title");
  must(all("h1").length === 1, "not one h1");
  must(all("main").length === 1, "not one main");
  let level = 0;
  for (const h of all("h1,h2,h3,h4,h5,h6")) {
    must(+h.tagName[1] <= level + 1, "a level of headings is left out", h);
    must(h.textContent.trim(), "an empty heading", h);
    level = +h.tagName[1];
  }
  const ids = all("[id]").map((e) => e.id);
  must(new Set(ids).size === ids.length, "an id twice");
  for (const e of all("nav")) must(e.ariaLabel, "a nav without a name", e);
  must(new Set(all("nav").map((e) => e.ariaLabel)).size === all("nav").length, "navs of one name");
  for (const e of all("[aria-labelledby]")) must(document.getElementById(e.getAttribute("aria-labelledby")), "a label is not there", e);
  for (const e of all("a[href]")) must(e.textContent.trim() || e.querySelector("img[alt]:not([alt=''])"), "a link without a name", e);
  for (const e of all("audio,video")) must(e.ariaLabel && e.controls, "media without a name or controls", e);
  for (const e of all("time")) must(!isNaN(Date.parse(e.dateTime)), "a time that is none", e);
  for (const e of all("dl")) must([...e.children].every((c) => /^(DT|DD)$/.test(c.tagName)), "not of a dl", e);
  for (const e of all("ul")) must([...e.children].every((c) => c.tagName === "LI"), "not of a ul", e);
  for (const e of all("img")) {
    must(e.alt, "no alt", e);
    e.loading = "eager";
    await e.decode().catch(() => {});
    must(e.naturalWidth > 0, "the picture is not there", e);
  }
  for (const e of all("audio,video")) {
    e.muted = true;
    await e.play().catch((why) => must(false, "does not play, " + why, e));
    must(e.readyState >= 3 && e.duration > 0, "does not play", e);
    e.pause();
  }
  must(document.documentElement.scrollWidth <= innerWidth, "wider than the window: " + document.documentElement.scrollWidth);
  for (const e of all("main *, header *")) {
    const box = e.getBoundingClientRect();
    must(box.width === 0 || (box.left >= -1 && box.right <= innerWidth + 1), "sticks out", e);
  }
  // Contrast: WCAG 2, 4.5 to 1.
  const rgb = (color) => (color.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const [r, g, b, a] = rgb(getComputedStyle(e).backgroundColor);
      if (a === undefined || a === 1) return [r, g, b];
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255];
  };
  const seen = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !e.checkVisibility()) continue;
    const front = rgb(getComputedStyle(e).color), back = behind(e);
    const pair = front + "/" + back;
    if (seen.has(pair)) continue;
    seen.add(pair);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    must((a + 0.05) / (b + 0.05) >= 4.5, "contrast of " + pair, e);
  }
  return wrong.slice(0, 20);
})()
