// Each row of a roll plays its sound; a cursor moves over it, and a click on the roll goes there. Another
// row pressed meanwhile goes on from the same place, so that versions can be compared.
"use strict";

function stopOthers(started) {
  for (const audio of document.querySelectorAll("audio")) if (audio !== started) audio.pause();
}

function playOrPause(audio, rolls) {
  if (!audio.paused) return audio.pause();
  const playing = [...rolls.querySelectorAll("audio")].find((other) => !other.paused);
  if (playing) audio.currentTime = playing.currentTime;
  audio.play();
}

function follow(row, audio, scale) {
  const cursor = row.querySelector(".cursor"), rolls = row.parentElement;
  const side = row.querySelector(".side").offsetWidth;
  const x = audio.currentTime * scale;
  cursor.style.display = "block";
  cursor.style.left = x + "px";
  const room = rolls.clientWidth - side;
  if (!audio.paused && (x < rolls.scrollLeft || x > rolls.scrollLeft + 0.9 * room)) {
    rolls.scrollLeft = x - 0.1 * room;
  }
  cancelAnimationFrame(row.frame);
  if (!audio.paused) row.frame = requestAnimationFrame(() => follow(row, audio, scale));
}

function makePlayable(rolls) {
  const scale = Number(rolls.dataset.scale);
  for (const row of rolls.querySelectorAll(".row")) {
    const audio = row.querySelector("audio"), button = row.querySelector(".play");
    const ready = () => { button.disabled = !audio.hasAttribute("src"); };
    ready();
    audio.addEventListener("loadedmetadata", ready);
    button.addEventListener("click", () => playOrPause(audio, rolls));
    audio.addEventListener("play", () => { button.textContent = "❚❚"; stopOthers(audio); follow(row, audio, scale); });
    for (const event of ["pause", "ended"]) audio.addEventListener(event, () => { button.textContent = "▶"; });
    audio.addEventListener("seeked", () => follow(row, audio, scale));
    const roll = row.querySelector(".roll");
    roll.addEventListener("click", (event) => {
      if (!button.disabled) audio.currentTime = (event.clientX - roll.getBoundingClientRect().left) / scale;
    });
  }
}

for (const rolls of document.querySelectorAll(".rolls")) makePlayable(rolls);
