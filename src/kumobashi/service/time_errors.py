"""That the clock of a site cannot be believed."""

from kumobashi.service.errors import ServiceFailed


class ClockNotTrusted(ServiceFailed):
    """Several sources agree that the clock here is wrong; nothing with a time in it is signed."""

    code = "clock.not_trusted"
    status = 503
    retryable = True
    ja = "このサイト「{site}」の時計が約 {seconds} 秒ずれているため、署名を止めています。"
    en = "The clock of {site} is off by about {seconds} s; signing has stopped."
    remedy_ja = "時刻合わせ（NTP）を直してください。合うと自動で再開します。比べた相手: {sources}"
    remedy_en = "Mend its time source; it goes on by itself. Compared with: {sources}"
