let ticks = 0;
setInterval(() => console.log(`tick ${++ticks}`), 1_000);
console.log("ticking");
