// Runs and never opens its port.
console.log("thinking");
setInterval(() => {}, 1000);
