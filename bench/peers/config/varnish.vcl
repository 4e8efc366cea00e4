vcl 4.1;
# Everything is a hit after the first request: kept for a day, no cookies, no grace to think about.
backend origin { .host = "127.0.0.1"; .port = "{{ORIGIN_PORT}}"; }
sub vcl_recv { return (hash); }
sub vcl_backend_response { set beresp.ttl = 1d; unset beresp.http.Set-Cookie; }
