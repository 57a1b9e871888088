import express from "express";
import pg from "pg";

const site = new URL(process.env.RAMET_URL);
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 4 });
pool.on("error", (error) => console.error("idle connection:", error.message));

const app = express();
app.use((request, response, next) => {
  response.set("access-control-allow-origin", site.origin);
  response.set("access-control-allow-credentials", "true");
  next();
});
app.get("/api/rooms", (request, response) => void sendRooms(response));
app.post("/api/sign-in", (request, response) => {
  response.cookie("guest", process.env.RAMET_ENV, {
    domain: site.hostname,
    httpOnly: true,
    sameSite: "strict",
  });
  response.json({});
});
app.get("/api/guest", (request, response) => {
  response.json({ guest: /guest=([\w-]+)/.exec(request.headers.cookie ?? "")?.[1] ?? null });
});
app.listen(process.env.PORT, process.env.HOST, () => console.log("The rooms are open"));

async function sendRooms(response) {
  try {
    const { rows } = await pool.query("select * from rooms order by name");
    response.json({
      environment: process.env.RAMET_ENV,
      rooms: rows,
      greeting: process.env.GREETING ?? null,
      keyLength: process.env.STRIPE_KEY?.length ?? null,
    });
  } catch (error) {
    response.status(500).json({ error: error.message });
  }
}
