// The page's HTML, a mustache template. Everything is inside: no script, no font, no address of another place.
#pragma once

namespace nnrun::observers {

inline constexpr const char* report_template = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
{{#running}}<meta http-equiv="refresh" content="15">
{{/running}}<link rel="icon" href="data:,">
<title>{{title}}</title>
<style>
:root { --page: #f6f7f9; --card: #ffffff; --text: #1b1f27; --muted: #626b7a; --line: #e3e6eb; --s1: #2563eb; --s2: #d9480f; --s3: #0a8754;
  --s4: #8b3fd1; --good: 37 99 235; --bad: 217 72 15; --warn: #b42318; --warnpage: #fef1ef; }
@media (prefers-color-scheme: dark) {
:root { --page: #101318; --card: #181c23; --text: #e7eaf0; --muted: #9aa4b4; --line: #2b313b; --s1: #6ba6ff; --s2: #ff9259; --s3: #43cf93;
  --s4: #c290ff; --good: 80 140 255; --bad: 255 130 70; --warn: #ff9b8f; --warnpage: #331a18; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 25px; margin: 0 0 2px; letter-spacing: -.01em; }
h2 { font-size: 17px; margin: 0 0 12px; }
.sub, .muted { color: var(--muted); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 20px 0; }
.tile, section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tile { padding: 12px 16px; }
.tile b { display: block; font-size: 24px; font-weight: 650; letter-spacing: -.02em; font-variant-numeric: tabular-nums; white-space: nowrap; }
.tile.main b { color: var(--s1); }
.tile span { color: var(--muted); font-size: 13px; }
section { padding: 18px 20px; margin: 16px 0; overflow-x: auto; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(350px, 100%), 1fr)); gap: 16px; }
.two section { margin: 0; }
.loud { background: var(--warnpage); color: var(--warn); border: 2px solid var(--warn); border-radius: 10px; padding: 12px 18px; margin: 16px 0; }
.loud b { font-size: 18px; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--muted); font-size: 11.5px; font-variant-numeric: tabular-nums; }
svg .grid { stroke: var(--line); }
svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg .band { fill: var(--s1); opacity: .13; }
svg .thin { stroke-width: 1; opacity: .55; }
path.s1 { stroke: var(--s1); } path.s2 { stroke: var(--s2); } path.s3 { stroke: var(--s3); } path.s4 { stroke: var(--s4); }
circle.s1, .key.s1 { fill: var(--s1); background: var(--s1); } circle.s2, .key.s2 { fill: var(--s2); background: var(--s2); }
circle.s3, .key.s3 { fill: var(--s3); background: var(--s3); } circle.s4, .key.s4 { fill: var(--s4); background: var(--s4); }
.key { display: inline-block; width: 14px; height: 3px; border-radius: 2px; vertical-align: middle; margin-right: 6px; }
.key.band { background: var(--s1); opacity: .25; height: 10px; }
.key.thin { height: 1px; }
.keys { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 13px; color: var(--muted); margin-top: 4px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { font-weight: 600; text-align: left; }
.facts td, .facts th { padding: 4px 18px 4px 0; vertical-align: top; }
.facts th { color: var(--muted); font-weight: 500; white-space: nowrap; }
.facts td { overflow-wrap: anywhere; }
.figures td, .figures th { padding: 3px 16px 3px 0; text-align: right; white-space: nowrap; }
.figures th:first-child, .figures td:first-child { text-align: left; }
.figures th { color: var(--muted); font-weight: 500; border-bottom: 1px solid var(--line); }
.confusion td, .confusion th { padding: 5px 8px; text-align: right; font-size: 13.5px; min-width: 38px; }
.confusion td { border: 2px solid var(--card); border-radius: 6px; }
.confusion thead th, .confusion tbody th { color: var(--muted); font-weight: 550; }
.confusion .right { background: rgb(var(--good) / var(--a)); }
.confusion .wrong { background: rgb(var(--bad) / var(--a)); }
.confusion .rate { color: var(--muted); }
.bar { display: inline-block; height: 10px; background: var(--s1); border-radius: 2px 0 0 2px; vertical-align: middle; }
.bar.back { background: var(--s2); border-radius: 0 2px 2px 0; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 12px; }
figure { margin: 0; }
figure img { width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: auto; border-radius: 6px; background: #000; display: block; }
.small img { image-rendering: pixelated; }
figcaption { font-size: 12.5px; line-height: 1.35; margin-top: 4px; }
.filters { display: grid; grid-template-columns: repeat(auto-fill, minmax(58px, 1fr)); gap: 6px; }
.filters img { width: 100%; aspect-ratio: 1; image-rendering: pixelated; border-radius: 4px; display: block; }
pre { margin: 0; overflow-x: auto; font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", Menlo, monospace; }
summary { cursor: pointer; font-weight: 600; font-size: 17px; }
details[open] summary { margin-bottom: 12px; }
code { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, monospace; font-size: .92em; }
</style>
</head>
<body>
<main>
<header>
<h1>{{title}}</h1>
<div class="sub">{{subtitle}}</div>
</header>
{{#drawn}}<div class="loud"><b>DRAWN DATA.</b> A program drew the samples of this run, in place of a real data set. Its figures say nothing about real data.</div>
{{/drawn}}
<div class="tiles">
{{#tiles}}<div class="tile{{#main}} main{{/main}}"><b{{#value}} data-figure="{{key}}" data-value="{{value}}"{{/value}}>{{text}}</b><span>{{name}}</span></div>
{{/tiles}}</div>
{{#has_notes}}<section id="notes"><h2>Notes</h2>{{#notes}}<div>{{.}}</div>{{/notes}}</section>
{{/has_notes}}
{{^has_charts}}<section><h2>Curves</h2><div class="muted">{{no_charts}}</div></section>
{{/has_charts}}
<div class="two" id="curves">
{{#charts}}<section><h2>{{name}}</h2>{{{svg}}}<div class="keys">{{#keys}}<span><i class="key {{style}}"></i>{{name}}</span>{{/keys}}</div></section>
{{/charts}}</div>
{{#has_confusion}}<section id="confusion"><h2>Confusion matrix</h2>
<div class="muted">{{confusion_text}}</div>
<table class="confusion"><thead><tr><th>true \ said</th>{{#columns}}<th>{{.}}</th>{{/columns}}<th class="rate">recall</th></tr></thead>
<tbody>{{#confusion}}<tr><th>{{name}}</th>{{#cells}}<td{{#style}} class="{{kind}}" style="--a: {{style}}"{{/style}}>{{text}}</td>{{/cells}}<td class="rate">{{recall}}</td></tr>
{{/confusion}}<tr><th class="rate">precision</th>{{#precisions}}<td class="rate">{{.}}</td>{{/precisions}}<td></td></tr></tbody></table></section>
{{/has_confusion}}
{{#has_pairs}}<section id="confusion"><h2>Most frequent confusions</h2><table class="figures"><tr><th>true</th><th>said</th><th>times</th></tr>
{{#pairs}}<tr><td>{{label}}</td><td>{{said}}</td><td>{{count}}</td></tr>
{{/pairs}}</table></section>
{{/has_pairs}}
{{#has_mistakes}}<section id="mistakes"><h2>Most confident mistakes</h2>
<div class="muted" style="margin-bottom: 12px">{{mistakes_text}}</div>
<div class="pictures{{#small}} small{{/small}}">
{{#mistakes}}<figure>{{#picture}}<img src="{{{picture}}}" alt="test sample {{sample}}">{{/picture}}<figcaption><b>{{said}}</b> {{probability}}<br><span class="muted">is {{label}}, no. {{sample}}</span></figcaption></figure>
{{/mistakes}}</div></section>
{{/has_mistakes}}
{{#has_filters}}<section id="filters"><h2>First-layer filters</h2><div class="muted" style="margin-bottom: 12px">{{filters_text}}</div>
<div class="filters">{{#filters}}<img src="{{{picture}}}" alt="filter {{number}}" title="filter {{number}}">
{{/filters}}</div></section>
{{/has_filters}}
{{#has_layers}}<section id="layers"><h2>Time per layer</h2><div class="muted">milliseconds a training step; backward includes the optimizer's step</div>
<table class="figures"><tr><th>layer</th><th>forward</th><th>backward</th><th></th></tr>
{{#layers}}<tr><td>{{name}}</td><td>{{forward}}</td><td>{{backward}}</td><td style="text-align: left"><span class="bar" style="width: {{forward_width}}px"></span><span class="bar back" style="width: {{backward_width}}px"></span></td></tr>
{{/layers}}</table><div class="keys"><span><i class="key s1"></i>forward</span><span><i class="key s2"></i>backward</span></div></section>
{{/has_layers}}
{{#has_epochs}}<section><details id="epochs"><summary>Epochs</summary><table class="figures"><tr>{{#epoch_columns}}<th>{{.}}</th>{{/epoch_columns}}</tr>
{{#epochs}}<tr>{{#cells}}<td data-figure="{{key}}" data-value="{{value}}">{{text}}</td>{{/cells}}</tr>
{{/epochs}}</table></details></section>
{{/has_epochs}}
<div class="two">
<section id="run"><h2>Data and run</h2><table class="facts">{{#run}}<tr><th>{{name}}</th><td>{{text}}</td></tr>{{/run}}</table></section>
<section id="machine"><h2>Machine</h2><table class="facts">{{#machine}}<tr><th>{{name}}</th><td>{{text}}</td></tr>{{/machine}}</table></section>
</div>
<section><details id="config"><summary>Config</summary><pre>{{config}}</pre></details></section>
{{#drawn}}<div class="loud"><b>DRAWN DATA.</b> These figures are of drawn stand-ins and say nothing about real data. How to get the real data stands in <code>datasets/README.md</code>.</div>
{{/drawn}}
</main>
</body>
</html>
)html";

}  // namespace nnrun::observers
